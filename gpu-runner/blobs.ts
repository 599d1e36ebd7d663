import { DefaultAzureCredential } from "@azure/identity";
import { BlobServiceClient, RestError } from "@azure/storage-blob";
import { readFile } from "node:fs/promises";
import { parseBlobRef } from "#crds/blob-keys.ts";
import type { BlobAccess } from "./config.ts";
import { Failure } from "./failure.ts";

/** What the runner needs of blob storage. References are `<container>/<path>`. */
export interface BlobStore {
  /**
   * The blob's bytes; undefined when there is none.
   * @throws {Failure} `bad-input` when it is larger than `maxBytes`, `storage` when storage does not answer.
   */
  read(ref: string, maxBytes: number): Promise<Uint8Array | undefined>;
  /**
   * Writes a blob unless one is there: whoever comes first wins, and the other learns it.
   * @throws {Failure} `storage`.
   */
  create(ref: string, bytes: Uint8Array, contentType: string): Promise<"created" | "exists">;
}

const MEBIBYTE = 1024 * 1024;

/** Azure answers a create-once write with 409, and with 412 when two race; a lost answer retried meets 409 too. */
const ALREADY_THERE: ReadonlySet<number> = new Set([409, 412]);

function storageFailure(action: string, ref: string, cause: unknown): Failure {
  const reason = cause instanceof RestError ? (cause.code ?? `HTTP ${cause.statusCode}`) : String(cause);
  return new Failure("storage", `could not ${action} ${ref}: ${reason}`, { cause });
}

const hasStatus = (error: unknown, isMeant: (status: number) => boolean) =>
  error instanceof RestError && error.statusCode !== undefined && isMeant(error.statusCode);

async function collect(stream: NodeJS.ReadableStream, maxBytes: number): Promise<Uint8Array | "too-large"> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of stream) {
    const buffer = Buffer.from(chunk);
    bytes += buffer.length;
    if (bytes > maxBytes) return "too-large";
    chunks.push(buffer);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

export function createBlobStore(service: BlobServiceClient): BlobStore {
  const blobOf = (ref: string) => {
    const { container, path } = parseBlobRef(ref);
    return service.getContainerClient(container).getBlockBlobClient(path);
  };
  return {
    async read(ref, maxBytes) {
      let content: Uint8Array | "too-large";
      try {
        const answer = await blobOf(ref).download(0, maxBytes + 1, { maxRetryRequests: 3 });
        if (!answer.readableStreamBody) throw new TypeError("the answer has no body");
        content = await collect(answer.readableStreamBody, maxBytes);
      } catch (cause) {
        if (hasStatus(cause, (status) => status === 404)) return undefined;
        // An empty blob has no byte 0 to start from.
        if (hasStatus(cause, (status) => status === 416)) return new Uint8Array();
        throw storageFailure("read", ref, cause);
      }
      if (content === "too-large") {
        throw new Failure("bad-input", `the file is larger than ${Math.floor(maxBytes / MEBIBYTE)} MiB`);
      }
      return content;
    },
    async create(ref, bytes, contentType) {
      try {
        await blobOf(ref).upload(
          Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength),
          bytes.length,
          {
            conditions: { ifNoneMatch: "*" },
            blobHTTPHeaders: { blobContentType: contentType },
          },
        );
        return "created";
      } catch (cause) {
        if (hasStatus(cause, (status) => ALREADY_THERE.has(status))) return "exists";
        throw storageFailure("write", ref, cause);
      }
    },
  };
}

const RETRY = { maxTries: 5, retryDelayInMs: 250, maxRetryDelayInMs: 8_000, tryTimeoutInMs: 60_000 };

/** @throws {Error} when the connection string's file cannot be read. */
export async function connectBlobs(access: BlobAccess): Promise<BlobServiceClient> {
  const options = { retryOptions: RETRY };
  if (access.by === "identity") {
    return new BlobServiceClient(access.endpoint, new DefaultAzureCredential(), options);
  }
  const connectionString = (await readFile(access.file, "utf8")).trim();
  return BlobServiceClient.fromConnectionString(connectionString, options);
}

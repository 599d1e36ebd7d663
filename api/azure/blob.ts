/**
 * Blob storage as the api needs it: upload and read URLs for tenants, a look at what was uploaded, and the
 * runner's reports. A blob is named `<container>/<path>`.
 */
import {
  BlobSASPermissions,
  BlobServiceClient,
  RestError,
  StorageSharedKeyCredential,
} from "@azure/storage-blob";
import { parseBlobRef } from "#crds/blob-keys.ts";
import { type SasSigner, createDelegationSigner, createSharedKeySigner } from "./sas-signer.ts";

export interface BlobFacts {
  readonly bytes: number;
  readonly contentType: string | undefined;
}

export interface BlobStore {
  /** Lets its holder create the blob once; an existing one cannot be overwritten with it. */
  uploadUrl(ref: string, expiresAt: Date): Promise<string>;
  readUrl(ref: string, expiresAt: Date): Promise<string>;
  /** Nothing when there is no such blob. */
  head(ref: string): Promise<BlobFacts | undefined>;
  /**
   * Nothing when there is no such blob.
   * @throws {RangeError} when it is larger than `maxBytes`.
   */
  readText(ref: string, maxBytes: number): Promise<string | undefined>;
}

export type BlobConnection =
  { readonly connectionString: string } | { readonly endpoint: string; readonly now: () => Date };

export async function openBlobStore(connection: BlobConnection): Promise<BlobStore> {
  if ("connectionString" in connection) {
    const service = BlobServiceClient.fromConnectionString(connection.connectionString, RETRIES);
    const { credential } = service;
    if (!(credential instanceof StorageSharedKeyCredential)) {
      throw new Error("the blob connection string has no account key to sign URLs with");
    }
    return createBlobStore(service, createSharedKeySigner(credential, service.url));
  }
  // Loaded only where it is used: it costs half a second and much memory.
  const { DefaultAzureCredential } = await import("@azure/identity");
  const service = new BlobServiceClient(connection.endpoint, new DefaultAzureCredential(), RETRIES);
  return createBlobStore(service, createDelegationSigner({ service, now: connection.now }));
}

const RETRIES = { retryOptions: { maxTries: 4, tryTimeoutInMs: 15_000, retryDelayInMs: 200 } };

export function createBlobStore(service: BlobServiceClient, signer: SasSigner): BlobStore {
  const client = (ref: string) => {
    const { container, path } = parseBlobRef(ref);
    return service.getContainerClient(container).getBlobClient(path);
  };
  // Built by hand: a client object for each of the thousands of URLs of a large job takes a second.
  const base = service.url.replace(/\/?$/, "/");
  const urlOf = (ref: string) => base + ref.split("/").map(encodeURIComponent).join("/");
  const signed = async (ref: string, permissions: string, expiresAt: Date) => {
    const query = await signer.sign({
      ...parseBlobRef(ref),
      permissions: BlobSASPermissions.parse(permissions),
      expiresAt,
    });
    return `${urlOf(ref)}?${query}`;
  };

  return {
    uploadUrl: (ref, expiresAt) => signed(ref, "c", expiresAt),
    readUrl: (ref, expiresAt) => signed(ref, "r", expiresAt),

    async head(ref) {
      const found = await orMissing(client(ref).getProperties());
      return found && { bytes: found.contentLength ?? 0, contentType: found.contentType };
    },

    async readText(ref, maxBytes) {
      const found = await orMissing(client(ref).download());
      if (!found?.readableStreamBody) return undefined;
      const chunks: Buffer[] = [];
      let length = 0;
      // Leaving the loop early closes the stream.
      for await (const chunk of found.readableStreamBody) {
        const bytes = Buffer.from(chunk);
        length += bytes.length;
        if (length > maxBytes) throw new RangeError(`${ref} is larger than ${maxBytes} bytes`);
        chunks.push(bytes);
      }
      return Buffer.concat(chunks).toString("utf8");
    },
  };
}

async function orMissing<T>(request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof RestError && error.statusCode === 404) return undefined;
    throw error;
  }
}

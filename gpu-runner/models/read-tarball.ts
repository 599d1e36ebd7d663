import { createGunzip } from "node:zlib";
import type { Readable } from "node:stream";
import type { PackagedFile } from "./packaged-file.ts";

const BLOCK = 512;
const REGULAR_FILE = new Set(["0", "\0"]);
const EXTENDED_HEADER = "x";

/** Takes exact numbers of bytes off a stream without joining more than it must. */
class ByteSource {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Between 1 and `most` bytes. @throws {RangeError} when the stream ends first. */
  async some(most: number): Promise<Buffer> {
    if (this.#rest.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) throw new RangeError("the tarball ends in the middle of a file");
      this.#rest = next.value;
    }
    const taken = this.#rest.subarray(0, most);
    this.#rest = this.#rest.subarray(taken.length);
    return taken;
  }

  async exactly(count: number): Promise<Buffer> {
    const parts: Buffer[] = [];
    for (let left = count; left > 0;) {
      const part = await this.some(left);
      parts.push(part);
      left -= part.length;
    }
    return Buffer.concat(parts);
  }
}

function text(header: Buffer, from: number, length: number): string {
  const field = header.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end < 0 ? length : end);
}

function pathOf(header: Buffer): string {
  const prefix = text(header, 345, 155);
  return prefix === "" ? text(header, 0, 100) : `${prefix}/${text(header, 0, 100)}`;
}

/** The path that an extended header ("<length> path=<value>\n" records) gives to the file after it. */
function extendedPath(records: string): string | undefined {
  return /(?:^|\n)\d+ path=([^\n]*)\n/.exec(records)?.[1];
}

async function* contentOf(source: ByteSource, size: number, left: { bytes: number }): AsyncGenerator<Buffer> {
  left.bytes = size;
  while (left.bytes > 0) {
    const part = await source.some(left.bytes);
    left.bytes -= part.length;
    yield part;
  }
}

/**
 * The regular files of a gzipped tarball, in order; what is not read of one is skipped.
 * @throws {RangeError} when the tarball is cut off.
 */
export async function* readTarball(tgz: Readable): AsyncGenerator<PackagedFile> {
  const gunzip = createGunzip();
  tgz.once("error", (error) => gunzip.destroy(error));
  const source = new ByteSource(tgz.pipe(gunzip));
  let longPath: string | undefined;
  for (;;) {
    const header = await source.exactly(BLOCK);
    if (header.every((byte) => byte === 0)) return;
    const bytes = Number.parseInt(text(header, 124, 12).trim(), 8);
    const padding = (BLOCK - (bytes % BLOCK)) % BLOCK;
    const kind = String.fromCharCode(header[156] ?? 0);
    if (kind === EXTENDED_HEADER) {
      longPath = extendedPath((await source.exactly(bytes)).toString("utf8"));
      await source.exactly(padding);
      continue;
    }
    const left = { bytes };
    if (REGULAR_FILE.has(kind)) {
      yield { path: longPath ?? pathOf(header), bytes, content: contentOf(source, bytes, left) };
    }
    longPath = undefined;
    while (left.bytes > 0) left.bytes -= (await source.some(left.bytes)).length;
    await source.exactly(padding);
  }
}

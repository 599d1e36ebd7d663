import { type FileHandle, open } from "node:fs/promises";
import { createInflateRaw } from "node:zlib";
import type { PackagedFile } from "./packaged-file.ts";

/** Structures of the ZIP format (APPNOTE.TXT 4.3), each known by its first four bytes. */
const END_OF_DIRECTORY = { signature: 0x06054b50, bytes: 22, longestComment: 0xffff };
const DIRECTORY_ENTRY = { signature: 0x02014b50, bytes: 46 };
const LOCAL_HEADER = { signature: 0x04034b50, bytes: 30 };
const STORED = 0;
const DEFLATED = 8;

interface Entry {
  readonly path: string;
  readonly bytes: number;
  readonly packedBytes: number;
  readonly method: number;
  readonly headerAt: number;
}

async function readAt(file: FileHandle, at: number, bytes: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, at);
  if (bytesRead < bytes) throw new RangeError("the wheel is cut off");
  return buffer;
}

/** The directory stands at the end, before a comment of unknown length. */
async function readDirectory(file: FileHandle): Promise<{ content: Buffer; count: number }> {
  const { size } = await file.stat();
  const tailBytes = Math.min(size, END_OF_DIRECTORY.bytes + END_OF_DIRECTORY.longestComment);
  const tail = await readAt(file, size - tailBytes, tailBytes);
  for (let at = tail.length - END_OF_DIRECTORY.bytes; at >= 0; at--) {
    if (tail.readUInt32LE(at) !== END_OF_DIRECTORY.signature) continue;
    const [bytes, from] = [tail.readUInt32LE(at + 12), tail.readUInt32LE(at + 16)];
    return { content: await readAt(file, from, bytes), count: tail.readUInt16LE(at + 10) };
  }
  throw new RangeError("the wheel is cut off, or no wheel: it has no directory");
}

async function readEntries(file: FileHandle): Promise<Entry[]> {
  const { content, count } = await readDirectory(file);
  const entries: Entry[] = [];
  for (let at = 0; entries.length < count;) {
    if (at + DIRECTORY_ENTRY.bytes > content.length) throw new RangeError("the wheel's directory is cut off");
    if (content.readUInt32LE(at) !== DIRECTORY_ENTRY.signature) {
      throw new RangeError("the wheel's directory is damaged");
    }
    const nameFrom = at + DIRECTORY_ENTRY.bytes;
    const nameTo = nameFrom + content.readUInt16LE(at + 28);
    entries.push({
      path: content.toString("utf8", nameFrom, nameTo),
      bytes: content.readUInt32LE(at + 24),
      packedBytes: content.readUInt32LE(at + 20),
      method: content.readUInt16LE(at + 10),
      headerAt: content.readUInt32LE(at + 42),
    });
    at = nameTo + content.readUInt16LE(at + 30) + content.readUInt16LE(at + 32);
  }
  return entries;
}

async function* contentOf(file: FileHandle, entry: Entry): AsyncGenerator<Buffer> {
  const header = await readAt(file, entry.headerAt, LOCAL_HEADER.bytes);
  if (header.readUInt32LE(0) !== LOCAL_HEADER.signature) {
    throw new RangeError(`the wheel is damaged at "${entry.path}"`);
  }
  if (entry.packedBytes === 0) return;
  // The local header may carry other extra fields than the directory: only its own lengths lead to the content.
  const from = entry.headerAt + LOCAL_HEADER.bytes + header.readUInt16LE(26) + header.readUInt16LE(28);
  const packed = file.createReadStream({
    start: from,
    end: from + entry.packedBytes - 1,
    autoClose: false,
  });
  if (entry.method === STORED) {
    yield* packed as AsyncIterable<Buffer>;
    return;
  }
  if (entry.method !== DEFLATED) {
    throw new RangeError(`"${entry.path}" is packed by method ${entry.method}, which is not supported`);
  }
  const inflate = createInflateRaw();
  packed.once("error", (error) => inflate.destroy(error));
  yield* packed.pipe(inflate) as AsyncIterable<Buffer>;
}

/**
 * The files of a Python wheel, which is a ZIP file, in the directory's order; what is not read of one is not
 * unpacked. Sizes of 4 GiB and more are not supported.
 * @throws {RangeError} when the wheel is cut off or damaged.
 */
export async function* readWheel(path: string): AsyncGenerator<PackagedFile> {
  const file = await open(path);
  try {
    for (const entry of await readEntries(file)) {
      if (entry.path.endsWith("/")) continue;
      yield { path: entry.path, bytes: entry.bytes, content: contentOf(file, entry) };
    }
  } finally {
    await file.close();
  }
}

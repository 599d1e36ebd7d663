/** Brings one file onto this disk: goes on where it was cut off, and checks it while it comes. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, stat } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { PullError, type SourceFile } from "./source-file.ts";

export interface Kept {
  readonly bytes: number;
  readonly sha256: string;
}

/** How far it came before. */
async function keptBytes({ validator, bytes: whole = 0 }: SourceFile, to: string): Promise<number> {
  const found = await stat(to).catch(() => undefined);
  return validator !== undefined && found && found.size <= whole ? found.size : 0;
}

/**
 * Bytes are written in order, so what is there is a beginning of the whole.
 * @param to where it lies already as far as it came; its name tells files apart by their validators
 * @param onBytes told how many bytes more are there, those from before first
 */
export async function keepFile(file: SourceFile, to: string, onBytes: (more: number) => void): Promise<Kept> {
  const hash = createHash("sha256");
  let bytes = await keptBytes(file, to);
  if (bytes > 0) await pipeline(createReadStream(to, { end: bytes - 1 }), hash, { end: false });
  onBytes(bytes);
  const out = await open(to, bytes > 0 ? "a" : "w");
  try {
    if (bytes !== file.bytes) {
      for await (const more of file.read(bytes)) {
        await out.write(more);
        hash.update(more);
        bytes += more.length;
        onBytes(more.length);
      }
    }
    await out.sync();
  } finally {
    await out.close();
  }
  if (file.bytes !== undefined && bytes !== file.bytes) {
    throw new PullError(`${bytes} bytes came where ${file.bytes} were promised: pull again`);
  }
  return { bytes, sha256: hash.digest("hex") };
}

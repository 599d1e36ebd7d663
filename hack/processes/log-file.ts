import { closeSync, existsSync, fstatSync, openSync, readSync, renameSync } from "node:fs";

const CHUNK_BYTES = 64 * 1024;
const TAIL_BYTES = 8 * 1024;

/**
 * Opens a fresh log for a process. The log of the life before is kept beside it as `<file>.previous`: the
 * reason why a process died is usually there.
 * @returns a file descriptor, the caller's to close
 */
export function openLog(file: string): number {
  if (existsSync(file)) renameSync(file, `${file}.previous`);
  return openSync(file, "a", 0o644);
}

/** The last lines of a log, for an error message. Empty when there is no log. */
export function lastLines(file: string, count: number): string {
  if (!existsSync(file)) return "";
  const descriptor = openSync(file, "r");
  try {
    const { size } = fstatSync(descriptor);
    const buffer = Buffer.alloc(Math.min(size, TAIL_BYTES));
    readSync(descriptor, buffer, 0, buffer.length, size - buffer.length);
    return buffer.toString("utf8").trimEnd().split("\n").slice(-count).join("\n");
  } finally {
    closeSync(descriptor);
  }
}

/** Reads a growing file line by line. */
export interface LineReader {
  /** The complete lines that were added since the last call. */
  newLines(): string[];
  close(): void;
}

export function readLines(file: string): LineReader {
  const descriptor = openSync(file, "r");
  const buffer = Buffer.alloc(CHUNK_BYTES);
  let pending = Buffer.alloc(0);

  function takeLines(): string[] {
    const end = pending.lastIndexOf("\n");
    if (end < 0) return [];
    const lines = pending.subarray(0, end).toString("utf8").split("\n");
    pending = pending.subarray(end + 1);
    return lines;
  }

  return {
    newLines() {
      for (;;) {
        const length = readSync(descriptor, buffer, 0, buffer.length, null);
        if (length === 0) return takeLines();
        pending = Buffer.concat([pending, buffer.subarray(0, length)]);
      }
    },
    close: () => closeSync(descriptor),
  };
}

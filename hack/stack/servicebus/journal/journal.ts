/**
 * An append-only file of what happened to the queues. Everything that was flushed survives SIGKILL of the
 * process; with `sync: "always"` also a crash of the machine, at the price of one disk flush per turn.
 * A line that was cut short at the end of the file is dropped: nobody was told that it had been accepted.
 */
import { closeSync, fdatasyncSync, ftruncateSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { fsyncSync, renameSync, writeSync } from "node:fs";
import { join } from "node:path";
import { formatRecord, parseRecord, type JournalRecord } from "./record.ts";

const FILE = "journal.log";
/** Below this size a compaction is not worth its pause. */
const MIN_COMPACT_BYTES = 16 * 1024 * 1024;
/** How much larger than after the last compaction the file may grow. */
const GROWTH = 4;
const REWRITE_CHUNK_BYTES = 1024 * 1024;

export interface JournalOptions {
  /** The folder is made when it is missing. One process at a time may use it. */
  readonly folder: string;
  /** "never": what was flushed survives the process. "always": it survives the machine. */
  readonly sync: "never" | "always";
  /** See `isOvergrown`. */
  readonly minCompactBytes?: number;
}

export class Journal {
  /** What an earlier life left, in its order. */
  readonly recovered: readonly JournalRecord[];
  readonly #options: JournalOptions;
  #descriptor: number;
  #pending: string[] = [];
  #bytes: number;
  #bytesAfterRewrite = 0;

  /** @throws when a line before the last is damaged: the folder has to be given up or repaired by hand */
  constructor(options: JournalOptions) {
    mkdirSync(options.folder, { recursive: true });
    this.#options = options;
    this.#descriptor = openSync(this.#path, "a+", 0o600);
    const { records, bytes } = parseJournal(readFileSync(this.#path), this.#path);
    ftruncateSync(this.#descriptor, bytes);
    this.recovered = records;
    this.#bytes = bytes;
  }

  append(record: JournalRecord): void {
    this.#pending.push(formatRecord(record));
  }

  /** Writes what was appended. Only after this may anybody be told that it happened. */
  flush(): void {
    if (this.#pending.length === 0) return;
    const bytes = Buffer.from(this.#pending.join(""));
    this.#pending = [];
    writeAll(this.#descriptor, bytes);
    if (this.#options.sync === "always") fdatasyncSync(this.#descriptor);
    this.#bytes += bytes.length;
  }

  /** True when most of the file is history: `rewrite` makes it small again. */
  isOvergrown(): boolean {
    const { minCompactBytes = MIN_COMPACT_BYTES } = this.#options;
    return this.#bytes > Math.max(minCompactBytes, GROWTH * this.#bytesAfterRewrite);
  }

  /** Replaces the whole journal, all at once: a crash leaves the old one or the new one. */
  rewrite(records: Iterable<JournalRecord>): void {
    const temporary = `${this.#path}.new`;
    const descriptor = openSync(temporary, "w", 0o600);
    this.#bytes = writeRecords(descriptor, records);
    // Also with sync "never": after a crash of the machine the new name must not stand for an empty file.
    fsyncSync(descriptor);
    closeSync(descriptor);
    renameSync(temporary, this.#path);
    closeSync(this.#descriptor);
    this.#descriptor = openSync(this.#path, "a");
    this.#pending = [];
    this.#bytesAfterRewrite = this.#bytes;
  }

  close(): void {
    this.flush();
    closeSync(this.#descriptor);
  }

  get #path(): string {
    return join(this.#options.folder, FILE);
  }
}

function parseJournal(content: Buffer, path: string): { records: JournalRecord[]; bytes: number } {
  const records: JournalRecord[] = [];
  let start = 0;
  while (start < content.length) {
    const end = content.indexOf("\n", start);
    const record = end < 0 ? undefined : parseRecord(content.toString("utf8", start, end));
    if (record !== undefined) {
      records.push(record);
      start = end + 1;
    } else if (end < 0 || end === content.length - 1) {
      break; // the last line, cut short
    } else {
      throw new Error(`${path} is damaged at byte ${start} (record ${records.length + 1})`);
    }
  }
  return { records, bytes: start };
}

function writeRecords(descriptor: number, records: Iterable<JournalRecord>): number {
  let bytes = 0;
  let chunk = "";
  const writeChunk = (): void => {
    bytes += writeAll(descriptor, Buffer.from(chunk));
    chunk = "";
  };
  for (const record of records) {
    chunk += formatRecord(record);
    if (chunk.length >= REWRITE_CHUNK_BYTES) writeChunk();
  }
  writeChunk();
  return bytes;
}

function writeAll(descriptor: number, bytes: Buffer): number {
  let written = 0;
  while (written < bytes.length) written += writeSync(descriptor, bytes, written);
  return bytes.length;
}

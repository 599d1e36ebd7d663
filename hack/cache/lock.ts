/**
 * A lock between processes. The kernel holds it (SQLite takes an exclusive lock on the file) and frees it when its
 * owner ends in whatever way, so there are no stale locks to detect and no races in taking them over. Who holds it
 * is written beside it, for messages only.
 */
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";

const SQLITE_BUSY = 5;
const POLL_MILLISECONDS = 100;

export interface LockOptions {
  /** Called once when another process holds the lock, with its process id where that is known. */
  readonly onWait?: (owner: number | undefined) => void;
  readonly signal?: AbortSignal;
}

/**
 * Runs the work while this process alone holds the lock.
 * @param file the lock's file; made when missing, never removed. Nothing else may open it: closing any descriptor
 *   of a file frees a process's locks on it.
 * @throws what the work throws, or the signal's reason when it fires during the wait
 */
export async function withLock<T>(
  file: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  await mkdir(dirname(file), { recursive: true });
  const ownerFile = `${file}.owner`;
  const database = new DatabaseSync(file, { timeout: 0 });
  try {
    await take(database, ownerFile, options);
    await writeFile(ownerFile, `${process.pid}\n`);
    try {
      return await work();
    } finally {
      await rm(ownerFile, { force: true });
    }
  } finally {
    database.close();
  }
}

async function take(
  database: DatabaseSync,
  ownerFile: string,
  { onWait, signal }: LockOptions,
): Promise<void> {
  for (let told = false; !tryTake(database);) {
    if (!told) onWait?.(await readOwner(ownerFile));
    told = true;
    await sleep(POLL_MILLISECONDS, undefined, { ...(signal && { signal }) });
  }
}

function tryTake(database: DatabaseSync): boolean {
  try {
    database.exec("BEGIN EXCLUSIVE");
    return true;
  } catch (error) {
    if (error instanceof Error && "errcode" in error && error.errcode === SQLITE_BUSY) return false;
    throw error;
  }
}

async function readOwner(ownerFile: string): Promise<number | undefined> {
  const text = await readFile(ownerFile, "utf8").catch(() => "");
  const pid = Number.parseInt(text, 10);
  return Number.isNaN(pid) ? undefined : pid;
}

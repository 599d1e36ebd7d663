/**
 * What takes minutes to make and is kept: a folder in the cache under a key that names all that goes into it. What
 * is there is complete, because a finished folder is put there by one rename; one that was cut off leaves nothing
 * but a folder to sweep up.
 */
import { access, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "./lock.ts";

/** Other checkouts and branches may use other keys: one goes when nobody has asked for it for so long. */
const KEPT_DAYS = 7;
const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;
const UNFINISHED = ".unfinished";

export interface MadeOnce {
  /** Holds the folders of all keys of one kind, and their lock. */
  readonly parent: string;
  readonly key: string;
  /** Fills the folder, which does not exist yet. */
  readonly make: (folder: string) => Promise<void>;
  /** Called once when another process is making one, with its process id where that is known. */
  readonly onWait: (owner: number | undefined) => void;
}

/** @returns the folder, made now when it was not there; @throws what `make` throws */
export async function madeOnce({ parent, key, make, onWait }: MadeOnce): Promise<string> {
  const folder = join(parent, key);
  if (await isThere(folder)) {
    await utimes(folder, new Date(), new Date());
    return folder;
  }
  await withLock(
    join(parent, "build.lock"),
    async () => {
      if (await isThere(folder)) return;
      await removeUnfinished(parent);
      await make(`${folder}${UNFINISHED}`);
      await rename(`${folder}${UNFINISHED}`, folder);
      await removeUnused(parent, Date.now());
    },
    { onWait },
  );
  return folder;
}

/** Whether `madeOnce` would find it made. */
export function isMade(parent: string, key: string): Promise<boolean> {
  return isThere(join(parent, key));
}

async function removeUnfinished(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    if (name.endsWith(UNFINISHED)) await rm(join(parent, name), { recursive: true });
  }
}

async function removeUnused(parent: string, now: number): Promise<void> {
  for (const entry of await readdir(parent, { withFileTypes: true })) {
    const dir = join(parent, entry.name);
    const isOld = entry.isDirectory() && now - (await stat(dir)).mtimeMs > KEPT_DAYS * DAY_MILLISECONDS;
    if (isOld) await rm(dir, { recursive: true, force: true });
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** What a pulled folder holds, and where it came from: kept in it, and given to a later pull to get the same again. */
import * as z from "zod";

/** Its name in the folder. */
export const LOCK_FILE = "opal-model.lock.json";

const FolderLock = z.object({
  name: z.string(),
  licence: z.string(),
  /** Whose the model is, and the address or folder that it was pulled from. */
  source: z.string(),
  pulledFrom: z.string(),
  files: z.record(
    z.string(),
    z.object({ bytes: z.int().min(0), sha256: z.string().regex(/^[0-9a-f]{64}$/) }),
  ),
});
export type FolderLock = z.infer<typeof FolderLock>;

/** @throws {RangeError} when the text is no lock. */
export function parseLock(text: string): FolderLock {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new RangeError("the lock is not JSON", { cause });
  }
  const parsed = FolderLock.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new RangeError(`the lock is not as expected: ${z.prettifyError(parsed.error)}`);
}

export const writeLock = (lock: FolderLock): string => `${JSON.stringify(lock, undefined, 2)}\n`;

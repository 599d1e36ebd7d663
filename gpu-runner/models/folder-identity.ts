import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join, relative } from "node:path";
import { sha256OfFile } from "./file-hash.ts";
import { LOCK_FILE } from "./pull/folder-lock.ts";

/**
 * One SHA-256 for a model that is a folder: of a line for each of its files, `<sha256>  <path>`, in the order of
 * their paths. Hidden files and the lock are not the model's.
 */
export async function folderSha256(dir: string): Promise<string> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .filter((path) => path !== LOCK_FILE && !path.split("/").some((part) => part.startsWith(".")))
    .sort();
  const hash = createHash("sha256");
  for (const path of files) hash.update(`${await sha256OfFile(join(dir, path))}  ${path}\n`);
  return hash.digest("hex");
}

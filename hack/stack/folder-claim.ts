import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { identify, isRunning } from "../processes/process-identity.ts";

const Owner = z.object({ pid: z.int().positive(), startedAt: z.string() });
const FILE = "stack.owner";

/**
 * Makes a folder this process's own. The claim of a process that has ended does not count.
 * @returns how to give the folder back
 * @throws when another stack runs in it
 */
export function claimFolder(dir: string): () => void {
  const owner = ownerOf(dir);
  if (owner !== undefined) throw new Error(`a stack runs in ${dir} already (process ${owner})`);
  const file = join(dir, FILE);
  writeFileSync(file, JSON.stringify(identify(process.pid)));
  return () => rmSync(file, { force: true });
}

/** The process whose stack runs in a folder; undefined when none does. */
export function ownerOf(dir: string): number | undefined {
  try {
    const owner = Owner.parse(JSON.parse(readFileSync(join(dir, FILE), "utf8")));
    return isRunning(owner) ? owner.pid : undefined;
  } catch {
    return undefined; // no claim, or one that was never finished
  }
}

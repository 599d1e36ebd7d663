import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import * as z from "zod";
import { isRunning } from "./process-identity.ts";
import { STOP_SIGNALS, stopProcess } from "./stop-process.ts";

const PidFile = z.object({
  name: z.string(),
  pid: z.int().positive(),
  startedAt: z.string(),
  stopSignal: z.enum(STOP_SIGNALS),
  graceSeconds: z.number().nonnegative(),
});

/** What is written down about a running part, so that a later life can find and stop it. */
export type PidFile = z.infer<typeof PidFile>;

const SUFFIX = ".pid";

/** Writes `<folder>/<name>.pid`, all at once: a reader sees the old file or the new one. */
export function writePidFile(folder: string, record: PidFile): void {
  mkdirSync(folder, { recursive: true });
  const file = pidFileOf(folder, record.name);
  writeFileSync(`${file}.tmp`, JSON.stringify(record));
  renameSync(`${file}.tmp`, file);
}

/** Removes a part's pid file, unless a later life has written its own there. */
export function removePidFile(folder: string, record: PidFile): void {
  const file = pidFileOf(folder, record.name);
  const { pid, startedAt } = parse(file) ?? {};
  if (pid === record.pid && startedAt === record.startedAt) rmSync(file, { force: true });
}

/** Undefined when there is no such file, when it makes no sense, or when its process has ended. */
export function readPidFile(file: string): PidFile | undefined {
  const record = parse(file);
  return record !== undefined && isRunning(record) ? record : undefined;
}

/**
 * Stops what an earlier life in this folder left running, all at the same time, and removes its pid files.
 * @returns the names of the parts that had to be stopped
 */
export async function stopLeftovers(folder: string): Promise<string[]> {
  mkdirSync(folder, { recursive: true });
  const files = readdirSync(folder).filter((name) => name.endsWith(SUFFIX));
  const names = files.map((file) => file.slice(0, -SUFFIX.length));
  const wereRunning = await Promise.all(names.map((name) => stopLeftover(folder, name)));
  return names.filter((_, index) => wereRunning[index]);
}

/** The same for one part. @returns true when it had to be stopped */
export async function stopLeftover(folder: string, name: string): Promise<boolean> {
  const file = pidFileOf(folder, name);
  const record = readPidFile(file);
  if (record !== undefined) await stopProcess(record, record);
  rmSync(file, { force: true });
  return record !== undefined;
}

export function pidFileOf(folder: string, name: string): string {
  return join(folder, `${name}${SUFFIX}`);
}

function parse(file: string): PidFile | undefined {
  try {
    return PidFile.safeParse(JSON.parse(readFileSync(file, "utf8"))).data;
  } catch {
    return undefined; // missing, or cut short by a full disk: either way it names no process
  }
}

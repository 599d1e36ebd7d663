/** What the tests of this folder share: small programs to start, and how to see that they are gone. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { PartOptions } from "./part.ts";

/** A shell script as a part that is ready when it prints "ready". */
export function aScript(folder: string, name: string, script: string): PartOptions<string> {
  return {
    name,
    command: "/bin/sh",
    args: ["-c", script],
    env: { PATH: process.env["PATH"] },
    cwd: folder,
    logFile: join(folder, `${name}.log`),
    pidFolder: folder,
    readiness: { by: "line", read: (line) => (line === "ready" ? line : undefined), deadlineSeconds: 10 },
    graceSeconds: 5,
  };
}

/** Waits for a condition; fails with `what` after ten seconds. */
export async function eventually(what: string, holds: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !holds();) {
    if (Date.now() > deadline) throw new Error(`it never happened that ${what}`);
    await sleep(10);
  }
}

/** Pids of running processes whose environment has this entry ("NAME=value"). Linux. */
export function processesWith(entry: string): number[] {
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.filter((pid) => environmentOf(pid).includes(entry)).map(Number);
}

function environmentOf(pid: string): string[] {
  try {
    return readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  } catch {
    return []; // ended meanwhile, or another user's
  }
}

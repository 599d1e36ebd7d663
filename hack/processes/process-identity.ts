import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";

/**
 * Which process a number means. Process ids are used again, so a pid that was written down is not enough to
 * signal a process: another one may bear it by now. The pair of pid and start time is.
 */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque; equal for equal processes. On Linux `<boot id>/<ticks since boot>`, elsewhere what ps(1) prints. */
  readonly startedAt: string;
}

interface Seen {
  readonly startedAt: string;
  readonly isZombie: boolean;
}

/** The identity of a running process; undefined when there is none with that pid. */
export function identify(pid: number): ProcessIdentity | undefined {
  const seen = look(pid);
  return seen === undefined || seen.isZombie ? undefined : { pid, startedAt: seen.startedAt };
}

/** True while that very process runs. A zombie has ended: nobody may ever collect it in a container without init. */
export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startedAt === identity.startedAt;
}

/** True when the pid now belongs to a process that was started later. */
export function isReused(identity: ProcessIdentity): boolean {
  const seen = look(identity.pid);
  return seen !== undefined && seen.startedAt !== identity.startedAt;
}

function look(pid: number): Seen | undefined {
  return process.platform === "linux" ? lookInProc(pid) : askPs(pid);
}

function lookInProc(pid: number): Seen | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  if (stat === undefined) return undefined;
  // The second field is the command in brackets and may hold spaces and brackets itself: count from the last one.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const bootId = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  return { isZombie: fields[0] === "Z", startedAt: `${bootId}/${fields[19]}` };
}

function askPs(pid: number): Seen | undefined {
  try {
    const line = execFileSync("ps", ["-o", "stat=,lstart=", "-p", String(pid)], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    const [state = "", ...start] = line.trim().split(/\s+/);
    return { isZombie: state.startsWith("Z"), startedAt: start.join(" ") };
  } catch {
    return undefined; // ps exits 1 when there is no such process
  }
}

/** Reading a process's entry ends in ENOENT or ESRCH when the process ends meanwhile. */
function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

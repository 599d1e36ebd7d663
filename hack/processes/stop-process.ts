import { setTimeout as sleep } from "node:timers/promises";
import { isReused, isRunning, type ProcessIdentity } from "./process-identity.ts";

/** Signals that programs take as a request to finish in order. */
export const STOP_SIGNALS = ["SIGTERM", "SIGINT", "SIGQUIT"] as const;
export type StopSignal = (typeof STOP_SIGNALS)[number];

/** How a process wants to be stopped. */
export interface StopManners {
  readonly stopSignal: StopSignal;
  /** What it gets for that before SIGKILL, in seconds. */
  readonly graceSeconds: number;
}

/** How long a killed process may take to vanish (it may sit in an uninterruptible system call), in seconds. */
const VANISH_SECONDS = 5;
const LONGEST_PAUSE_MILLISECONDS = 50;

/**
 * Stops a process that need not be a child of ours, and its process group, whose leader it must be.
 *
 * Only the leader is asked, so that it can stop its own children in order; the group is killed once the leader
 * has gone or its grace is over. Harmless when the process has ended, and when its pid was given to another.
 * Resolves when the leader has gone, or when even SIGKILL did not end it within a few seconds.
 */
export async function stopProcess(target: ProcessIdentity, manners: StopManners): Promise<void> {
  if (isRunning(target)) {
    send(target.pid, manners.stopSignal);
    await untilGone(target, manners.graceSeconds);
  }
  killGroup(target);
  await untilGone(target, VANISH_SECONDS);
}

/** Kills the whole group. What a leader left behind when it ended counts as well. */
export function killGroup(leader: ProcessIdentity): void {
  // A group's number is not given to a new process while the group has members, so a missing leader is fine.
  if (!isReused(leader)) send(-leader.pid, "SIGKILL");
}

async function untilGone(target: ProcessIdentity, seconds: number): Promise<void> {
  const deadline = performance.now() + seconds * 1000;
  for (let pause = 5; isRunning(target) && performance.now() < deadline; pause *= 1.5) {
    await sleep(Math.min(pause, LONGEST_PAUSE_MILLISECONDS));
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    const isGone = error instanceof Error && "code" in error && error.code === "ESRCH";
    // On macOS a group of zombies only answers EPERM.
    const hasNothingToKill = isGone || (pid < 0 && process.platform === "darwin");
    if (!hasNothingToKill) throw error;
  }
}

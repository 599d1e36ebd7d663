import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { lastLines, openLog } from "./log-file.ts";
import { removePidFile, stopLeftover, writePidFile, type PidFile } from "./pid-file.ts";
import { identify, isRunning, type ProcessIdentity } from "./process-identity.ts";
import { untilReady, type Readiness } from "./readiness.ts";
import type { Reaper } from "./reaper.ts";
import { killGroup, type StopManners, type StopSignal } from "./stop-process.ts";

const SHOWN_LOG_LINES = 15;

/**
 * Waits for a word on descriptor 3 and then becomes the program. In between the launcher names the process to
 * its reaper; a launcher that dies before it could do so never starts the program at all.
 */
const GATE = 'read -r _ <&3 || exit 125; exec "$@" 3<&-';

export interface ProgramOptions {
  /** Names the program in messages and in the pid file: lower case words and dashes. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly env: NodeJS.ProcessEnv;
  readonly cwd: string;
  /** Takes stdout and stderr, also after this process has ended. The log before is kept as `<file>.previous`. */
  readonly logFile: string;
  /** Default SIGTERM. It goes to the program alone; its process group is killed after it has ended. */
  readonly stopSignal?: StopSignal;
  /** Seconds between the stop signal and SIGKILL, default 10. */
  readonly graceSeconds?: number;
  /** Where `<name>.pid` is written. What an earlier life left running under that name is stopped first. */
  readonly pidFolder?: string;
  /** Runs the program as another user (this process must be root). */
  readonly user?: { readonly uid: number; readonly gid: number };
  /** Open files that the program gets as its descriptors `FIRST_DESCRIPTOR` and up. Closed here by the caller. */
  readonly descriptors?: readonly number[];
}

export interface PartOptions<T> extends ProgramOptions {
  readonly readiness: Readiness<T>;
}

/** 0 to 2 are the standard streams, 3 is the gate. */
export const FIRST_DESCRIPTOR = 4;

interface PartExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Part<T = unknown> {
  readonly name: string;
  readonly pid: number;
  /** What the readiness check found. */
  readonly ready: T;
  /** Resolves when the program has ended, for whatever reason; never rejects. */
  readonly exited: Promise<PartExit>;
  /** Asks the program to finish, kills it after its grace. Harmless when it has ended. */
  stop(): Promise<PartExit>;
  /** SIGKILL to the whole group, at once: for tests of what happens then. */
  kill(): Promise<PartExit>;
}

/**
 * Starts a program and waits until it is ready.
 * @throws an Error that names the part, what went wrong and the end of its log; nothing is left running then
 */
export async function spawnPart<T>(options: PartOptions<T>, reaper: Reaper): Promise<Part<T>> {
  const part = await start(options, reaper);
  try {
    const ready = await untilReady(options.readiness, options.logFile, abortedBy(part.exited));
    return { ...part, ready };
  } catch (error) {
    await part.kill();
    throw failure(options, error);
  }
}

/**
 * Runs a program to its end.
 * @throws an Error with the end of its log when its exit code is not 0
 */
export async function runProgram(options: ProgramOptions, reaper: Reaper): Promise<void> {
  const { exited } = await start(options, reaper);
  const exit = await exited;
  if (exit.code !== 0) throw failure(options, sayEnd(exit));
}

type Started = Omit<Part, "ready">;

async function start(options: ProgramOptions, reaper: Reaper): Promise<Started> {
  const { name, pidFolder } = options;
  if (pidFolder !== undefined) await stopLeftover(pidFolder, name);
  const child = spawnBehindGate(options);
  const exited = exitOf(child);
  const identity = await identityOf(child, options);
  const manners = { stopSignal: options.stopSignal ?? "SIGTERM", graceSeconds: options.graceSeconds ?? 10 };
  void cleanUpAfter(exited, identity, reaper);
  const part = partOf(name, identity, exited, manners);
  try {
    await reaper.watch({ ...identity, ...manners });
    if (pidFolder !== undefined) notePid({ name, ...identity, ...manners }, pidFolder, exited);
    openGate(child);
    return part;
  } catch (error) {
    await part.kill();
    throw failure(options, error);
  }
}

async function cleanUpAfter(
  exited: Promise<PartExit>,
  identity: ProcessIdentity,
  reaper: Reaper,
): Promise<void> {
  await exited;
  killGroup(identity); // what the program left behind has no owner any more
  reaper.forget(identity.pid);
}

/** @throws when the gate itself could not be started: no such folder, no right to become that user */
async function identityOf(child: ChildProcess, options: ProgramOptions): Promise<ProcessIdentity> {
  try {
    if (child.pid === undefined) await once(child, "spawn");
    const identity = identify(child.pid ?? 0);
    if (identity === undefined) throw new Error("ended at once");
    return identity;
  } catch (error) {
    throw failure(options, error);
  }
}

function notePid(record: PidFile, folder: string, exited: Promise<PartExit>): void {
  writePidFile(folder, record);
  void exited.then(() => removePidFile(folder, record));
}

function spawnBehindGate(options: ProgramOptions): ChildProcess {
  mkdirSync(dirname(options.logFile), { recursive: true });
  const log = openLog(options.logFile);
  try {
    return spawn("/bin/sh", ["-c", GATE, "sh", options.command, ...options.args], {
      cwd: options.cwd,
      env: options.env,
      detached: true,
      stdio: ["ignore", log, log, "pipe", ...(options.descriptors ?? [])],
      ...options.user,
    });
  } finally {
    closeSync(log);
  }
}

function openGate(child: ChildProcess): void {
  const gate = child.stdio[3];
  if (gate === null || gate === undefined || !("write" in gate)) throw new Error("the gate is missing");
  gate.on("error", () => {}); // the process was killed meanwhile: `exited` tells
  gate.end("go\n");
}

function exitOf(child: ChildProcess): Promise<PartExit> {
  return new Promise((resolve) => {
    child.once("error", () => resolve({ code: null, signal: null })); // it never ran
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}

function partOf(
  name: string,
  identity: ProcessIdentity,
  exited: Promise<PartExit>,
  manners: StopManners,
): Started {
  const kill = (): Promise<PartExit> => {
    killGroup(identity);
    return exited;
  };
  return {
    name,
    pid: identity.pid,
    exited,
    kill,
    async stop(): Promise<PartExit> {
      if (isRunning(identity)) process.kill(identity.pid, manners.stopSignal);
      const grace = new AbortController();
      const isOver = sleep(manners.graceSeconds * 1000, undefined, { signal: grace.signal }).catch(() => {});
      await Promise.race([exited, isOver]);
      grace.abort();
      return kill();
    },
  };
}

function abortedBy(exited: Promise<PartExit>): AbortSignal {
  const controller = new AbortController();
  void exited.then((exit) => controller.abort(sayEnd(exit)));
  return controller.signal;
}

function sayEnd({ code, signal }: PartExit): string {
  return `ended with ${signal ?? `exit code ${code}`}`;
}

function failure(options: ProgramOptions, cause: unknown): Error {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const log = lastLines(options.logFile, SHOWN_LOG_LINES) || "(it wrote nothing)";
  return new Error(`${options.name} ${reason}\n${log}\n(${options.logFile})`, { cause });
}

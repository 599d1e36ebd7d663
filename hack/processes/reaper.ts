/**
 * Child processes that never become orphans. `spawnPart` starts a process in a group of its own and knows when
 * it is ready; the reaper, a second small process, stops everything that this one started when this one ends,
 * also by SIGKILL; pid files let the next life of a named folder find what even that could not stop.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { Socket } from "node:net";
import { nodeProgram } from "./node-program.ts";
import { formatOrder, type Order, type WatchedProcess } from "./reaper-protocol.ts";

const program = nodeProgram(new URL("reaper-main.ts", import.meta.url));
/** A reaper that was killed is replaced; one that cannot live is not. */
const MAX_REAPERS = 4;

export interface Reaper {
  readonly pid: number;
  /** Resolves once the order is in the reaper's pipe: from then on the process ends with this one. */
  watch(process: WatchedProcess): Promise<void>;
  /** For a process that has ended. */
  forget(pid: number): void;
  /** Removes a folder (absolute path) at the very end, after everything that is watched was stopped. */
  removeFolder(folder: string): void;
  /** Stops what is still watched, in reverse order, removes the folders, and resolves when that is done. */
  close(): Promise<void>;
}

export interface ReaperOptions {
  readonly env: NodeJS.ProcessEnv;
}

/** Starts this process's reaper. One is enough for all its children; it does not keep the event loop alive. */
export function startReaper({ env }: ReaperOptions): Reaper {
  const watched = new Map<number, WatchedProcess>();
  const folders = new Set<string>();
  let started = 0;
  let isClosing = false;
  let current = launch();

  function launch() {
    started += 1;
    const child = spawn(program.command, program.args, {
      detached: true,
      env: { ...env, ...program.env },
      stdio: ["pipe", "ignore", "inherit"],
    });
    child.unref();
    if (child.stdin instanceof Socket) child.stdin.unref();
    child.stdin.on("error", () => {}); // a broken pipe is dealt with where the write fails
    child.once("exit", replace);
    for (const process of watched.values()) void write({ order: "watch", process }, child.stdin);
    for (const folder of folders) void write({ order: "remove-folder", folder }, child.stdin);
    return child;
  }

  function replace(): void {
    if (!isClosing && started < MAX_REAPERS) current = launch();
  }

  async function tell(order: Order): Promise<void> {
    const told = current;
    const isWritten = await write(order, told.stdin);
    if (isWritten) return;
    // It was killed. Its successor is told everything that is known, this order included, when it starts.
    if (told.exitCode === null && told.signalCode === null) await once(told, "exit");
    if (current === told) throw new Error("the reaper cannot be kept running: see what it wrote to stderr");
  }

  return {
    get pid() {
      return current.pid ?? 0;
    },
    async watch(process) {
      watched.set(process.pid, process);
      await tell({ order: "watch", process });
    },
    forget(pid) {
      if (watched.delete(pid)) void write({ order: "forget", pid }, current.stdin);
    },
    removeFolder(folder) {
      folders.add(folder);
      void write({ order: "remove-folder", folder }, current.stdin);
    },
    async close() {
      isClosing = true;
      const ended =
        current.exitCode === null && current.signalCode === null ? once(current, "exit") : undefined;
      current.ref();
      current.stdin.end();
      await ended;
    },
  };
}

/** False when the reaper has gone. */
function write(order: Order, pipe: NodeJS.WritableStream): Promise<boolean> {
  return new Promise((resolve) => {
    pipe.write(`${formatOrder(order)}\n`, (error) => resolve(!error));
  });
}

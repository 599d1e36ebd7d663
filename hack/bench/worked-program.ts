/** A program that takes tasks as lines and answers each with a line, measured from outside: its time, CPU and memory. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";

/** The kernel's unit of CPU time: a hundredth of a second on every Linux that people run. */
const TICKS_A_SECOND = 100;
const BYTES_A_KIBIBYTE = 1024;

export interface Answered {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly answer: Readonly<Record<string, unknown>>;
}

export interface WorkedProgram extends AsyncDisposable {
  /** @throws {Error} when the program ends instead of answering */
  ask(task: object): Promise<Answered>;
  /** Bytes that it holds now, and the most that it ever held. */
  memory(): Promise<{ readonly heldBytes: number; readonly peakBytes: number }>;
}

async function cpuSecondsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  // The name in brackets may hold anything: fields are counted from its end.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND;
}

async function memoryOf(pid: number) {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const bytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? NaN) * BYTES_A_KIBIBYTE;
  return { heldBytes: bytes("VmRSS"), peakBytes: bytes("VmHWM") };
}

/** Starts it; its end ends it. @throws {Error} when it does not start */
export async function startProgram(
  command: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv,
): Promise<WorkedProgram> {
  const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"], env });
  await once(child, "spawn");
  const { pid } = child;
  if (pid === undefined) throw new Error(`${command} has no process id`);
  const ended = once(child, "close");
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async ask(task) {
      const cpuBefore = await cpuSecondsOf(pid);
      const started = performance.now();
      child.stdin.write(`${JSON.stringify(task)}\n`);
      const line = await lines.next();
      if (line.done === true) throw new Error(`${command} ended before it answered`);
      const seconds = (performance.now() - started) / 1000;
      const answer = JSON.parse(line.value) as Record<string, unknown>;
      if (typeof answer["error"] === "string") throw new Error(answer["error"]);
      return { seconds, cpuSeconds: (await cpuSecondsOf(pid)) - cpuBefore, answer };
    },
    memory: () => memoryOf(pid),
    async [Symbol.asyncDispose]() {
      child.stdin.end();
      await ended;
    },
  };
}

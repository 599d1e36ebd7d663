/** `npm run stack`: the parts of Azure that OPAL needs, on this machine, for as long as they are wanted. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDir } from "../cache/cache-dir.ts";
import { lastLines, openLog } from "../processes/log-file.ts";
import { pidFileOf, readPidFile, stopLeftovers } from "../processes/pid-file.ts";
import { identify } from "../processes/process-identity.ts";
import { untilReady } from "../processes/readiness.ts";
import { stopProcess } from "../processes/stop-process.ts";
import { runCommandLine } from "../terminal/command-line.ts";
import { parseCli, USAGE, type CliOptions } from "./cli-options.ts";
import { ownerOf } from "./folder-claim.ts";
import { startStack } from "./stack.ts";
import { describeFacts, factsOf, StackFacts } from "./stack-facts.ts";

const UP_SECONDS = 60;
const SHOWN_LOG_LINES = 20;
const DOWN_GRACE_SECONDS = 20;
/** What the parts of a stack call themselves in their pid files. */
const PARTS = ["azurite", "postgres", "servicebus"];

process.exitCode = await runCommandLine({ parse, usage: USAGE, run });

function parse(): CliOptions {
  return parseCli(process.argv.slice(2), {
    cacheDir: cacheDir(process.env),
    invokedFrom: process.env["OPAL_INVOKED_FROM"] ?? process.cwd(),
  });
}

async function run(options: CliOptions): Promise<number> {
  switch (options.command) {
    case "up":
      return options.detach ? upDetached(options) : up(options);
    case "down":
      return down(options);
    case "status":
      return status(options);
    default:
      return options.command satisfies never;
  }
}

async function up({ dir, json }: CliOptions): Promise<number> {
  const stack = await startStack({
    dir,
    onProgress(part, seconds) {
      if (!json) console.error(`${part} is ready (${seconds.toFixed(1)} s)`);
    },
  });
  print(factsOf(stack), json);
  const asked = Promise.race(["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => once(process, signal)));
  const broken = await Promise.race([stack.broken, asked.then(() => undefined)]);
  await stack.stop();
  if (broken === undefined) return 0;
  console.error(`${broken} has ended by itself: see its log in ${dir}`);
  return 1;
}

/** The launcher lives on in the background; its output tells when all is ready. */
async function upDetached({ dir, json }: CliOptions): Promise<number> {
  mkdirSync(dir, { recursive: true });
  const logFile = join(dir, "launcher.log");
  const log = openLog(logFile);
  const launcher = spawn(process.execPath, [fileURLToPath(import.meta.url), "up", "--dir", dir, "--json"], {
    detached: true,
    stdio: ["ignore", log, log],
  });
  closeSync(log);
  const ended = new AbortController();
  launcher.once("exit", () => ended.abort("ended"));
  try {
    const readiness = { by: "line", read: factsIn, deadlineSeconds: UP_SECONDS } as const;
    print(await untilReady(readiness, logFile, ended.signal), json);
    launcher.unref();
    return 0;
  } catch {
    launcher.kill();
    throw new Error(lastLines(logFile, SHOWN_LOG_LINES));
  }
}

function print(facts: StackFacts, json: boolean): void {
  console.log(json ? JSON.stringify(facts) : describeFacts(facts));
}

function factsIn(line: string): StackFacts | undefined {
  return line.startsWith("{") ? StackFacts.safeParse(JSON.parse(line)).data : undefined;
}

async function down({ dir, json }: CliOptions): Promise<number> {
  const owner = identify(ownerOf(dir) ?? 0);
  if (owner !== undefined)
    await stopProcess(owner, { stopSignal: "SIGTERM", graceSeconds: DOWN_GRACE_SECONDS });
  mkdirSync(dir, { recursive: true });
  const leftovers = await stopLeftovers(dir);
  const wasRunning = owner !== undefined || leftovers.length > 0;
  if (json) console.log(JSON.stringify({ event: "down", dir, wasRunning }));
  else console.log(wasRunning ? `stopped ${dir}` : `nothing runs in ${dir}`);
  return 0;
}

function status({ dir, json }: CliOptions): number {
  const launcher = ownerOf(dir);
  const parts = PARTS.map((name) => ({ name, pid: readPidFile(pidFileOf(dir, name))?.pid }));
  if (json) console.log(JSON.stringify({ event: "status", dir, launcher, parts }));
  else {
    console.log(`${dir}: ${launcher === undefined ? "no launcher" : `launcher ${launcher}`}`);
    for (const { name, pid } of parts) console.log(`  ${name.padEnd(11)} ${pid ?? "not running"}`);
  }
  return launcher !== undefined && parts.every(({ pid }) => pid !== undefined) ? 0 : 1;
}

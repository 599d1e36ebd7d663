/** Clusters that outlive the command that started them, found again by their folder. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { cacheDir } from "../cache/cache-dir.ts";
import { ensureDevCluster } from "./build.ts";
import { configJson, type ClusterOptions, type Ready } from "./cluster.ts";
import { runControl } from "./control.ts";

/**
 * Starts a cluster that runs until it is told to shut down.
 * @throws with its last words when it does not become usable
 */
export async function startDetached(dir: string, options: Omit<ClusterOptions, "dir">): Promise<Ready> {
  const { binary } = await ensureDevCluster({
    cache: cacheDir(process.env),
    ...(options.onProgress && { onProgress: options.onProgress }),
  });
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const configFile = join(dir, "config.json");
  const logFile = join(dir, "up.log");
  await writeFile(configFile, configJson({ ...options, dir }), { mode: 0o600 });
  const log = openSync(logFile, "w", 0o600);
  const child = spawn(binary, ["up", "--config", configFile], {
    detached: true,
    stdio: ["ignore", "pipe", log],
  });
  closeSync(log);
  if (!child.stdout) throw new Error("the supervisor was started without a pipe");
  const ended = once(child, "close").then(async () => {
    throw new Error(`the cluster did not start:\n${await readFile(logFile, "utf8")}`);
  });
  const [line] = (await Promise.race([once(createInterface(child.stdout), "line"), ended])) as [string];
  ended.catch(() => {}); // it is on its own from here
  child.stdout.destroy();
  child.unref();
  return JSON.parse(line) as Ready;
}

/** The running cluster in that folder, or undefined. */
export async function findRunning(dir: string): Promise<Ready | undefined> {
  const text = await readFile(join(dir, "ready.json"), "utf8").catch(() => undefined);
  if (text === undefined) return undefined;
  const ready = JSON.parse(text) as Ready;
  // What was killed has left that file behind.
  return runControl(ready.control, "status").then(
    () => ready,
    () => undefined,
  );
}

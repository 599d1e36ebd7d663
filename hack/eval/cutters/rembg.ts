/**
 * rembg as the peer: its published package in a Python environment of its own in the cache folder, one process
 * for all pictures, given the very model file that the runner uses. Without Python it says so in one sentence.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ensurePython } from "../../cache/python-environment.ts";
import { type Cutter, decodeCutout } from "./cutter.ts";

const REQUIREMENTS = fileURLToPath(new URL("requirements.txt", import.meta.url));
const PROGRAM = fileURLToPath(new URL("rembg-peer.py", import.meta.url));
export const USUAL_INSTALL_TIME = "a minute, once";

/**
 * The Python program of an environment that holds rembg.
 * @throws {Error} when Python is missing or the packages cannot be installed
 */
export function ensureRembg(cache: string, onProgress: (text: string) => void): Promise<string> {
  const parent = join(cache, "peers", "rembg");
  return ensurePython({ name: "the peer rembg", parent, requirements: REQUIREMENTS }, onProgress);
}

export interface Peer extends Cutter, AsyncDisposable {}

/** Starts at the first photo; its end ends the process. */
export function rembgCutter(python: string, model: string): Peer {
  let started: ReturnType<typeof start> | undefined;
  const start = async () => {
    const child = spawn(python, [PROGRAM, model], {
      stdio: ["pipe", "pipe", "inherit"],
      // It takes custom models from its own folder only.
      env: { ...process.env, U2NET_HOME: dirname(model) },
    });
    const ended = new Promise<void>((resolve) => child.once("close", () => resolve()));
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    return { child, ended, lines, dir: await mkdtemp(join(tmpdir(), "opal-rembg-")) };
  };
  return {
    name: "rembg",
    cut: async (photo) => {
      const { child, lines, dir } = await (started ??= start());
      const task = { photo: join(dir, "photo"), out: join(dir, "cutout.png") };
      await writeFile(task.photo, photo);
      child.stdin.write(`${JSON.stringify(task)}\n`);
      if ((await lines.next()).done === true) throw new Error("rembg ended before it answered");
      return decodeCutout(await readFile(task.out));
    },
    [Symbol.asyncDispose]: async () => {
      if (!started) return;
      const { child, ended, dir } = await started;
      child.stdin.end();
      await ended;
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/**
 * The Python environment that golden files, the benches' peers and the training of the scene model run in: made
 * once into the cache folder, under a key of its pinned packages. Nothing at run time and no test needs it.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { madeOnce } from "../cache/made-once.ts";

const run = promisify(execFile);
const REQUIREMENTS = fileURLToPath(new URL("requirements.txt", import.meta.url));
export const USUAL_INSTALL_TIME = "five minutes and 5 GB, once";

/**
 * @param cache the cache folder, as `cacheDir` names it
 * @returns the path of the environment's Python program
 * @throws {Error} when Python >= 3.11 is missing or the packages cannot be installed
 */
export async function ensureDiffusionPython(
  cache: string,
  onProgress: (text: string) => void,
): Promise<string> {
  const key = createHash("sha256")
    .update(await readFile(REQUIREMENTS))
    .digest("hex");
  const parent = join(cache, "diffusion-python");
  await mkdir(parent, { recursive: true });
  const folder = await madeOnce({
    parent,
    key: key.slice(0, 16),
    make: (unfinished) => install(unfinished, onProgress),
    onWait: (owner) => onProgress(`waiting for process ${owner ?? "unknown"}, which is installing it`),
  });
  return join(folder, "bin", "python");
}

async function install(folder: string, onProgress: (text: string) => void): Promise<void> {
  onProgress("making a Python environment");
  await run("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"])
    .then(() => run("python3", ["-m", "venv", folder]))
    .catch((cause: unknown) => {
      throw new Error("Python 3.11 or newer with venv is needed: install it (`python3-venv`)", { cause });
    });
  onProgress("installing torch, diffusers and their packages");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", REQUIREMENTS];
  await run(join(folder, "bin", "python"), pip).catch((cause: unknown) => {
    throw new Error("diffusers could not be installed with pip: is the package index reachable?", { cause });
  });
}

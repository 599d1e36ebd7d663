/**
 * Python environments of the peers and of what makes golden files: each is made once into the cache folder, under a
 * key of its pinned packages. Nothing at run time needs one.
 */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { madeOnce } from "./made-once.ts";

const run = promisify(execFile);

export interface PythonEnvironment {
  /** In errors: what is installed there. */
  readonly name: string;
  /** The folder that holds one environment for each state of the requirements. */
  readonly parent: string;
  /** Path of a requirements.txt. */
  readonly requirements: string;
}

/**
 * @returns the path of the environment's Python program
 * @throws {Error} when Python >= 3.11 is missing or the packages cannot be installed
 */
export async function ensurePython(
  environment: PythonEnvironment,
  onProgress: (text: string) => void,
): Promise<string> {
  const { parent, requirements } = environment;
  const key = createHash("sha256")
    .update(await readFile(requirements))
    .digest("hex");
  await mkdir(parent, { recursive: true });
  const folder = await madeOnce({
    parent,
    key: key.slice(0, 16),
    make: (unfinished) => install(environment, unfinished, onProgress),
    onWait: (owner) => onProgress(`waiting for process ${owner ?? "unknown"}, which is installing it`),
  });
  return join(folder, "bin", "python");
}

async function install(
  { name, requirements }: PythonEnvironment,
  folder: string,
  onProgress: (text: string) => void,
): Promise<void> {
  onProgress("making a Python environment");
  await run("python3", ["-c", "import sys; sys.exit(sys.version_info < (3, 11))"])
    .then(() => run("python3", ["-m", "venv", folder]))
    .catch((cause: unknown) => {
      throw new Error(`Python 3.11 or newer with venv is needed for ${name}: install it (\`python3-venv\`)`, {
        cause,
      });
    });
  onProgress("installing packages");
  const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", requirements];
  await run(join(folder, "bin", "python"), pip).catch((cause: unknown) => {
    throw new Error(`${name} could not be installed with pip: is the package index reachable?`, { cause });
  });
}

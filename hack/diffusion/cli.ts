/**
 * Runs a program of this folder in the Python environment, which is made first where it is missing:
 * `node hack/diffusion/cli.ts goldens.py schedulers`. Without a program it prints the path of the interpreter.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDir } from "../cache/cache-dir.ts";
import { createSteps } from "../terminal/steps.ts";
import { ensureDiffusionPython, USUAL_INSTALL_TIME } from "./setup.ts";

const HERE = dirname(fileURLToPath(import.meta.url));
const steps = createSteps(process.stderr, () => performance.now());
const python = await steps.runIfNeeded(
  "diffusion: installing its Python packages",
  USUAL_INSTALL_TIME,
  (progress) => ensureDiffusionPython(cacheDir(process.env), progress),
);
const [program, ...programArguments] = process.argv.slice(2);
if (program === undefined) {
  process.stdout.write(`${python}\n`);
} else {
  const child = spawn(python, [resolve(HERE, program), ...programArguments], { stdio: "inherit" });
  const [code] = (await once(child, "exit")) as [number | null];
  process.exitCode = code ?? 1;
}

/** The bench's models: random weights, made once into the cache by Python under a key of all that makes them. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { madeOnce } from "../../cache/made-once.ts";

const run = promisify(execFile);
const fileAt = (name: string) => fileURLToPath(new URL(`../../diffusion/${name}`, import.meta.url));
const MADE_FROM = [
  "bench_models.py",
  "tiny_models.py",
  "onnx_export.py",
  "clip_vocabulary.py",
  "requirements.txt",
];

/** Pixels a side at which a size is measured, 8 for each of its UNet's cells. */
export const SIDES = { small: 256, medium: 256, large: 384 } as const;
export type Size = keyof typeof SIDES;
export const SIZES: readonly Size[] = ["small", "medium", "large"];
export const USUAL_TIME = "two minutes, once";
export const PEER_PROGRAM = fileAt("bench_peer.py");

/** @returns a folder that holds a model folder for each size; @throws {Error} when Python cannot make them */
export async function ensureBenchModels(
  cache: string,
  python: string,
  onProgress: (text: string) => void,
): Promise<string> {
  const hash = createHash("sha256");
  for (const name of MADE_FROM) hash.update(await readFile(fileAt(name)));
  const parent = join(cache, "diffusion-bench");
  await mkdir(parent, { recursive: true });
  return madeOnce({
    parent,
    key: hash.digest("hex").slice(0, 16),
    make: async (folder) => {
      onProgress("exporting UNets of three sizes");
      await run(python, [fileAt("bench_models.py"), folder]);
    },
    onWait: (owner) => onProgress(`waiting for process ${owner ?? "unknown"}, which is making them`),
  });
}

/** The Python environment that golden files, the benches' peers and the training of the scene model run in. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { ensurePython } from "../cache/python-environment.ts";

export const USUAL_INSTALL_TIME = "five minutes and 5 GB, once";

/**
 * @param cache the cache folder, as `cacheDir` names it
 * @returns the path of the environment's Python program
 * @throws {Error} when Python is missing or the packages cannot be installed
 */
export function ensureDiffusionPython(cache: string, onProgress: (text: string) => void): Promise<string> {
  const requirements = fileURLToPath(new URL("requirements.txt", import.meta.url));
  return ensurePython(
    { name: "diffusers", parent: join(cache, "diffusion-python"), requirements },
    onProgress,
  );
}

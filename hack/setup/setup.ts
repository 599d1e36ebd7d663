/**
 * Everything that a command needs before it can start, made once: the dev cluster's binary and the models'
 * weights, both in the cache folder. A second call finds all there and says nothing.
 */
import { join } from "node:path";
import { DEFAULT_MODELS } from "../../gpu-runner/models/catalogue.ts";
import { ensureModels, type FetchProgress } from "../../gpu-runner/models/fetch.ts";
import { cacheDir } from "../cache/cache-dir.ts";
import { ensureDevCluster } from "../dev-cluster/build.ts";
import { createSteps } from "../terminal/steps.ts";

export interface Ready {
  readonly binary: string;
  readonly kubectl: string;
  readonly modelsDir: string;
}

/**
 * @throws {Error} with one sentence that says what is missing and how to get it, when a prerequisite is missing.
 */
export async function ensureReady(): Promise<Ready> {
  const steps = createSteps(process.stderr, () => performance.now());
  const cache = cacheDir(process.env);
  const modelsDir = join(cache, "models");
  await steps.runIfNeeded("models: fetching weights", "two minutes, once", (progress) =>
    ensureModels({
      dir: modelsDir,
      models: DEFAULT_MODELS,
      onProgress: (now) => now.step !== "ready" && progress(sayFetching(now)),
    }),
  );
  const { binary, kubectl } = await steps.runIfNeeded(
    "dev cluster: building a Kubernetes control plane from its Go modules",
    "6-7 minutes, once",
    (onProgress) => ensureDevCluster({ cache, onProgress }),
  );
  return { binary, kubectl, modelsDir };
}

function sayFetching({ model, step, bytes, totalBytes }: FetchProgress): string {
  return `${model} ${step}, ${Math.round((bytes / totalBytes) * 100)} % of ${Math.round(totalBytes / 1e6)} MB`;
}

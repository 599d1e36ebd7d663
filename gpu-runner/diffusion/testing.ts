/** What the tests of the engine are made of: the tiny models of the goldens, opened plainly. */
import { fileURLToPath } from "node:url";
import { createSession, type OpenPart, partOf } from "./onnx-part.ts";
import { type DiffusionPipeline, openPipeline } from "./pipeline.ts";

export const GOLDENS = fileURLToPath(new URL("goldens/", import.meta.url));

export const MODELS = ["sd15", "sd15-fp16", "sd2-v", "turbo", "inpaint9", "sdxl", "lcm"] as const;
export type Model = (typeof MODELS)[number];

export const modelDir = (model: Model) => `${GOLDENS}models/${model}`;

/** Opens each file once. */
export function plainly(): OpenPart {
  const parts = new Map<string, ReturnType<OpenPart>>();
  const options = { executionProviders: ["cpu"], intraOpNumThreads: 1, logSeverityLevel: 3 } as const;
  const open: OpenPart = async (path, edit) => partOf(await createSession(path, edit, options));
  return (path, edit) => {
    const part = parts.get(path) ?? open(path, edit);
    parts.set(path, part);
    return part;
  };
}

export const openModel = (model: Model, batches?: readonly number[]): Promise<DiffusionPipeline> =>
  openPipeline(modelDir(model), plainly(), batches && { batches });

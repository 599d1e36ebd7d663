import { type ModelEntry, SEGMENTER, upscaler } from "./models/catalogue.ts";
import type { ModelSessions } from "./models/sessions.ts";
import type { WarmUp, WorkerSettings } from "./stage-work.ts";

/** The one shape in which a model will be run. */
function shapeOf({ task }: ModelEntry): { dims: readonly number[]; output: string } {
  const side = task.kind === "segment" ? task.size : task.tile;
  return { dims: [1, 3, side, side], output: task.kind === "segment" ? "output" : "upscaled" };
}

async function warm(model: ModelEntry, sessions: ModelSessions, isOnGpu: boolean): Promise<void> {
  await sessions.load(model);
  if (!isOnGpu) return;
  const { dims, output } = shapeOf(model);
  await sessions.run(model, { data: new Float32Array(dims.reduce((a, b) => a * b)), dims, output });
}

/**
 * Loads models while the pod still reads its work. On a GPU each also runs once in its own shape, which is when
 * kernels are chosen and memory is taken; a CPU has nothing of that and would only lose the time. Never
 * rejects: a model that does not load fails the stage that needs it, in words.
 */
export async function warmUp(
  sessions: ModelSessions,
  { segment, factor }: WarmUp,
  { provider, upscalerQuality }: Pick<WorkerSettings, "provider" | "upscalerQuality">,
): Promise<void> {
  const models = [
    ...(segment ? [SEGMENTER] : []),
    ...(factor > 1 ? [upscaler(factor, upscalerQuality)] : []),
  ];
  for (const model of models) await warm(model, sessions, provider !== "cpu").catch(() => undefined);
}

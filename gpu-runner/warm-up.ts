import { type ModelEntry, SEGMENTER, upscaler } from "./models/catalogue.ts";
import type { ModelSessions } from "./models/sessions.ts";
import type { WarmUp, WorkerSettings } from "./stage-work.ts";
import { openSceneModel, type SceneModels, sceneSizes } from "./stages/scene-maker.ts";

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

/** Each of its sizes once, with and without a picture to begin with as scenes have one. */
async function warmScenes(models: SceneModels, isOnGpu: boolean): Promise<void> {
  const pipeline = await openSceneModel(models);
  if (!isOnGpu) return;
  for (const { width, height } of sceneSizes(pipeline)) {
    const image = { width, height, data: new Uint8Array(width * height * 3) };
    const mask = { width, height, data: new Uint8Array(width * height).fill(255) };
    const shape = { width, height, steps: 1, guidance: 2, seeds: [0] };
    await pipeline.generate({ prompt: "", ...shape, from: { image, mask, strength: 1 } });
  }
}

/**
 * Loads models while the pod still reads its work. On a GPU each also runs once in its own shapes, which is when
 * kernels are chosen and memory is taken; a CPU has nothing of that and would only lose the time. Never
 * rejects: a model that does not load fails the stage that needs it, in words.
 */
export async function warmUp(
  scenes: SceneModels,
  { segment, factor, scenes: paintsScenes = false }: WarmUp,
  provider: WorkerSettings["provider"],
): Promise<void> {
  const isOnGpu = provider !== "cpu";
  const models = [
    ...(segment ? [SEGMENTER] : []),
    ...(factor > 1 ? [upscaler(factor, scenes.upscalerQuality)] : []),
  ];
  for (const model of models) await warm(model, scenes.sessions, isOnGpu).catch(() => undefined);
  if (paintsScenes) await warmScenes(scenes, isOnGpu).catch(() => undefined);
}

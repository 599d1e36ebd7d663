import { type ModelEntry, SEGMENTER, upscalersUpTo } from "./models/catalogue.ts";
import type { ModelSessions } from "./models/sessions.ts";
import type { Size } from "./pipeline/layout.ts";
import type { WarmUp } from "./stage-work.ts";
import { lookShapes } from "./stages/look-shape.ts";
import { type OpenSceneModel, type SceneModels, sceneSizes } from "./stages/scene-model.ts";

/** The shapes in which a model may be run. */
function shapesOf({ task }: ModelEntry): readonly Size[] {
  return task.kind === "segment" ? lookShapes(task) : [{ width: task.tile, height: task.tile }];
}

async function warm(model: ModelEntry, sessions: ModelSessions, isOnGpu: boolean): Promise<void> {
  await sessions.load(model);
  if (!isOnGpu) return;
  const output = model.task.kind === "segment" ? model.task.output : "upscaled";
  for (const { width, height } of shapesOf(model)) {
    await sessions.run(model, {
      data: new Float32Array(3 * width * height),
      dims: [1, 3, height, width],
      output,
    });
  }
}

/** Each of its sizes once, with and without a picture to begin with as scenes have one. */
async function warmScenes(open: OpenSceneModel, isOnGpu: boolean): Promise<void> {
  const { model: pipeline } = await open();
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
  { sessions, upscalerQuality }: Pick<SceneModels, "sessions" | "upscalerQuality">,
  openScenes: OpenSceneModel,
  { segment, factor, scenes = false }: WarmUp,
): Promise<void> {
  const isOnGpu = sessions.provider !== "cpu";
  const models = [...(segment ? [SEGMENTER] : []), ...upscalersUpTo(factor, upscalerQuality)];
  for (const model of models) await warm(model, sessions, isOnGpu).catch(() => undefined);
  if (scenes) await warmScenes(openScenes, isOnGpu).catch(() => undefined);
}

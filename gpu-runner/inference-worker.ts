/**
 * The thread in which stages run: models block the thread that runs them for seconds, and picture maths for
 * tenths, so neither may share one with signals, progress and storage. It holds the sessions and does one
 * piece of work at a time.
 */
import { parentPort, workerData } from "node:worker_threads";
import sharp from "sharp";
import { classify } from "./failure.ts";
import { ModelSessions } from "./models/sessions.ts";
import { settleCut } from "./quality/settled-cut.ts";
import type {
  SceneStep,
  StageResult,
  StageWork,
  WorkAnswer,
  WorkerMessage,
  WorkerSettings,
  WorkRequest,
} from "./stage-work.ts";
import { place } from "./stages/place.ts";
import { createSceneMaker } from "./stages/scene-maker.ts";
import { sceneModelOf } from "./stages/scene-model.ts";
import { DEFAULT_SCENES } from "./stages/scene-settings.ts";
import { upscaleTo } from "./stages/upscale.ts";
import { warmUp } from "./warm-up.ts";

const settings = workerData as WorkerSettings;
// It would keep up to 50 MB of decoded pictures, none of which is asked for again.
sharp.cache(false);

const sessions = new ModelSessions(settings);
const { modelsDir, upscalerQuality } = settings;
const sceneModels = {
  sessions,
  modelsDir,
  upscalerQuality,
  settings: settings.scenes ?? DEFAULT_SCENES,
  onStep: (done: number, of: number) => parentPort?.postMessage({ done, of } satisfies SceneStep),
};
const openScenes = sceneModelOf(sceneModels);
const sceneMaker = createSceneMaker(sceneModels, openScenes);

function perform(work: StageWork): Promise<Pick<StageResult, "picture" | "layers" | "facts">> {
  switch (work.stage) {
    case "segment":
      return settleCut(work.photo, { minScore: work.minScore ?? 0, limits: settings }, sessions);
    case "place": {
      const { photo, picture, brand, backdrop } = work;
      const maxScenePixels = settings.maxFinalPixels / work.upscale ** 2;
      return place({ photo, cutout: picture, brand, backdrop }, { ...settings, maxScenePixels, sceneMaker });
    }
    case "upscale":
      return upscaleTo(work, settings.upscalerQuality, sessions);
    default:
      return work satisfies never;
  }
}

async function answer({ id, work }: WorkRequest): Promise<WorkAnswer> {
  const before = sessions.busySeconds;
  try {
    const result = await perform(work);
    return { id, ok: true, result: { ...result, gpuSeconds: sessions.busySeconds - before } };
  } catch (error) {
    const stack = error instanceof Error ? error.stack : undefined;
    return { id, ok: false, failure: classify(error), stack, gpuSeconds: sessions.busySeconds - before };
  }
}

async function serve(request: WorkRequest, before: Promise<void>): Promise<void> {
  await before;
  const message = await answer(request);
  parentPort?.postMessage(message, message.ok ? buffersOf(message.result) : []);
}

/** Handed over, not copied. */
function buffersOf({ picture, layers = [] }: StageResult): ArrayBuffer[] {
  return [picture, ...layers.map((layer) => layer.picture)].map(({ bytes }) => bytes.buffer);
}

/** The thread's end alone would leave the models' memory with the process. */
async function retire(): Promise<void> {
  await sessions.release();
  parentPort?.close();
}

function take(message: WorkerMessage, before: Promise<void>): Promise<void> {
  if ("warm" in message) return before.then(() => warmUp(sceneModels, openScenes, message.warm));
  if ("retire" in message) return before.then(retire);
  return serve(message, before);
}

let queue: Promise<void> = Promise.resolve();

parentPort?.on("message", (message: WorkerMessage) => {
  queue = take(message, queue);
});

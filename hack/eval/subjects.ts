/** What the areas are measured on and with, made at first need: an area alone waits for nothing that it does not use. */
import { availableParallelism } from "node:os";
import { join } from "node:path";
import {
  DEFAULT_MODELS,
  PUBLISHED_SEGMENTER,
  SEGMENTER,
  upscalersUpTo,
} from "../../gpu-runner/models/catalogue.ts";
import { ensureModels } from "../../gpu-runner/models/fetch.ts";
import { modelPath } from "../../gpu-runner/models/load.ts";
import { ModelSessions, type SessionSettings } from "../../gpu-runner/models/sessions.ts";
import type { Steps } from "../terminal/steps.ts";
import type { Subject } from "./areas/place.ts";
import type { CutterName } from "./areas/segment-scores.ts";
import { type Cutter, remembering } from "./cutters/cutter.ts";
import { baselineCutter, ourCutter } from "./cutters/pipeline.ts";
import { ensureRembg, type Peer, rembgCutter, USUAL_INSTALL_TIME } from "./cutters/rembg.ts";
import { readRealPhotos } from "./real-photos.ts";
import {
  ensureSyntheticSet,
  readPicture,
  type SyntheticSet,
  USUAL_RENDER_TIME,
} from "./render/synthetic-set.ts";

/** What enlarges by default, and what does on a GPU. */
export const ENLARGEMENTS = [
  { factor: 2, quality: "fast" },
  { factor: 4, quality: "fast" },
  { factor: 2, quality: "fine" },
] as const;

const PLACED_SYNTHETIC = 12;
const PLACED_REAL = 6;

export interface Subjects extends AsyncDisposable {
  readonly settings: SessionSettings;
  readonly sessions: ModelSessions;
  syntheticSet(): Promise<SyntheticSet>;
  cutters(): Promise<Readonly<Record<CutterName, Cutter>>>;
  placed(): Promise<Subject[]>;
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

async function placed(set: SyntheticSet): Promise<Subject[]> {
  const subjects: Subject[] = [];
  for (const number of set.numbers.slice(0, PLACED_SYNTHETIC)) {
    const { about, photo } = await readPicture(set, number);
    subjects.push({ name: `#${number} ${about.kind}`, photo, touchesFrame: about.touchesFrame });
  }
  for (const { name, bytes } of (await readRealPhotos()).slice(-PLACED_REAL)) {
    // Where a real photo's product ends nobody has measured: its fill is not judged.
    subjects.push({ name, photo: bytes, touchesFrame: true });
  }
  return subjects;
}

/** Fetches the models; the rest is made when it is asked for. */
export async function prepareSubjects(cache: string, count: number, steps: Steps): Promise<Subjects> {
  const modelsDir = join(cache, "models");
  await steps.runIfNeeded("models: fetching weights", "two minutes, once", (progress) =>
    ensureModels({
      dir: modelsDir,
      models: [...DEFAULT_MODELS, PUBLISHED_SEGMENTER, ...upscalersUpTo(4, "fine")],
      onProgress: ({ model, step }) => step !== "ready" && progress(`${model} ${step}`),
    }),
  );
  const settings = { modelsDir, provider: "cpu", intraOpThreads: availableParallelism() } as const;
  const sessions = new ModelSessions(settings);
  let peer: Peer | undefined;
  const syntheticSet = once(() =>
    steps.runIfNeeded("synthetic photos: rendering", USUAL_RENDER_TIME, (onProgress) =>
      ensureSyntheticSet({ cache, count, onProgress }),
    ),
  );
  return {
    settings,
    sessions,
    syntheticSet,
    cutters: once(async () => {
      const python = await steps.runIfNeeded("rembg: installing", USUAL_INSTALL_TIME, (onProgress) =>
        ensureRembg(cache, onProgress),
      );
      peer = rembgCutter(python, modelPath(modelsDir, SEGMENTER));
      const kept = join(cache, "eval", "cutouts");
      return {
        ours: ourCutter(sessions),
        baseline: remembering(baselineCutter(sessions), kept, PUBLISHED_SEGMENTER.sha256),
        rembg: remembering(peer, kept, `${SEGMENTER.sha256} ${python}`),
      };
    }),
    placed: once(async () => placed(await syntheticSet())),
    [Symbol.asyncDispose]: async () => peer?.[Symbol.asyncDispose](),
  };
}

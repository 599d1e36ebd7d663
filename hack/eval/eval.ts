/**
 * eval: how good the pictures are. Measures whatever the runner's stages do today against the bars of the project,
 * beside one plain pass of the same model and beside rembg, on rendered photos with exact mattes and on real ones.
 * It measures; it never fails on a missed bar.
 *
 * Usage: npm run eval -- [--count N] [--only LIST] [--html FILE] [--json]
 */
import { availableParallelism, totalmem } from "node:os";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DEFAULT_MODELS, SEGMENTER, upscaler } from "../../gpu-runner/models/catalogue.ts";
import { ensureModels } from "../../gpu-runner/models/fetch.ts";
import { modelPath } from "../../gpu-runner/models/load.ts";
import { ModelSessions } from "../../gpu-runner/models/sessions.ts";
import { cacheDir } from "../cache/cache-dir.ts";
import { createSteps, type Steps } from "../terminal/steps.ts";
import { BLANKS, measureBlanks } from "./areas/blanks.ts";
import { measureColour } from "./areas/colour.ts";
import { measurePlace, type Subject } from "./areas/place.ts";
import { measureRepeat } from "./areas/repeat.ts";
import { measureSegment } from "./areas/segment.ts";
import { measureUpscale } from "./areas/upscale.ts";
import { type Area, type EvalArguments, parseEvalArguments, USAGE } from "./arguments.ts";
import { remembering } from "./cutters/cutter.ts";
import { baselineCutter, LIMITS, ourCutter } from "./cutters/pipeline.ts";
import { ensureRembg, rembgCutter, USUAL_INSTALL_TIME } from "./cutters/rembg.ts";
import { type AreaResult, tableLines } from "./figures.ts";
import { renderPage } from "./page/page.ts";
import { readRealPhotos } from "./real-photos.ts";
import {
  ensureSyntheticSet,
  readPicture,
  type SyntheticSet,
  USUAL_RENDER_TIME,
} from "./render/synthetic-set.ts";

const MODELS = [...DEFAULT_MODELS, upscaler(2, "fine"), upscaler(4, "fine")];
const PLACED_SYNTHETIC = 12;
const PLACED_REAL = 6;
/** A whole evaluation looks at all blanks; a short one at as many as it has pictures, and never at fewer. */
const FEWEST_BLANKS = 10;

type Progress = (text: string) => void;

async function placeSubjects(set: SyntheticSet): Promise<Subject[]> {
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

async function measureAll({ count, only }: EvalArguments, steps: Steps): Promise<AreaResult[]> {
  const cache = cacheDir(process.env);
  const modelsDir = join(cache, "models");
  await steps.runIfNeeded("models: fetching weights", "two minutes, once", (progress) =>
    ensureModels({
      dir: modelsDir,
      models: MODELS,
      onProgress: ({ model, step }) => step !== "ready" && progress(`${model} ${step}`),
    }),
  );
  const set = await steps.runIfNeeded("synthetic photos: rendering", USUAL_RENDER_TIME, (onProgress) =>
    ensureSyntheticSet({ cache, count, onProgress }),
  );
  const python = await steps.runIfNeeded("rembg: installing", USUAL_INSTALL_TIME, (onProgress) =>
    ensureRembg(cache, onProgress),
  );
  const settings = { modelsDir, provider: "cpu", intraOpThreads: availableParallelism() } as const;
  const sessions = new ModelSessions(settings);
  await using peer = rembgCutter(python, modelPath(modelsDir, SEGMENTER));
  const kept = join(cache, "eval", "cutouts");
  const cutters = {
    ours: ourCutter(sessions),
    baseline: remembering(baselineCutter(sessions), kept, SEGMENTER.sha256),
    rembg: remembering(peer, kept, `${SEGMENTER.sha256} ${python}`),
  };
  const photos = await readRealPhotos();
  const measures: Record<Area, (onProgress: Progress) => Promise<AreaResult>> = {
    segment: (onProgress) => measureSegment({ set, cutters, onProgress }),
    blanks: (onProgress) =>
      measureBlanks({ cutters, count: Math.min(BLANKS, Math.max(FEWEST_BLANKS, count)), onProgress }),
    place: async (onProgress) => measurePlace(await placeSubjects(set), cutters.ours, onProgress),
    colour: measureColour,
    upscale: (onProgress) =>
      measureUpscale({
        photos,
        models: [upscaler(2, "fast"), upscaler(4, "fast"), upscaler(2, "fine"), upscaler(4, "fine")],
        sessions,
        onProgress,
      }),
    repeat: async () => {
      const { photo } = await readPicture(set, 0);
      return measureRepeat({ ...settings, ...LIMITS, upscalerQuality: "fast", maxFinalPixels: 12e6 }, photo);
    },
  };
  const results: AreaResult[] = [];
  for (const area of only) results.push(await steps.run(area, "seconds a picture", measures[area]));
  return results;
}

function jsonLine(results: readonly AreaResult[]): string {
  const all = results.flatMap(({ figures }) => figures);
  const figures: Record<string, number> = {};
  for (const { key, ours, baseline, rembg } of all) {
    figures[key] = ours;
    if (baseline !== undefined) figures[`${key}_baseline`] = baseline;
    if (rembg !== undefined) figures[`${key}_rembg`] = rembg;
  }
  const goals = all.flatMap(({ key, ours, bar }) =>
    bar ? [{ name: key, value: ours, goal: bar.value, better: bar.better }] : [],
  );
  const machine = { cores: availableParallelism(), memoryGiB: Math.round(totalmem() / 2 ** 30) };
  return JSON.stringify({ bench: "eval", machine, figures, goals });
}

async function main(args: EvalArguments): Promise<void> {
  const steps = createSteps(process.stderr, () => performance.now());
  const results = await measureAll(args, steps);
  for (const line of tableLines(results)) console.log(line);
  for (const { area, lines = [] } of results) {
    if (lines.length > 0) console.log([`\n${area}`, ...lines.map((line) => `  ${line}`)].join("\n"));
  }
  if (args.html !== undefined) {
    const about = `${args.count} synthetic photos, ${[...args.only].join(", ")}`;
    await writeFile(args.html, renderPage(results, about));
    console.log(`\npictures side by side: ${args.html}`);
  }
  if (args.json) console.log(jsonLine(results));
}

try {
  const args = parseEvalArguments(process.argv.slice(2));
  if (args === "help") console.log(USAGE);
  else await main(args);
} catch (error) {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
}

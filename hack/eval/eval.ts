/**
 * eval: how good the pictures are. Measures whatever the runner's stages do today against the bars of the project,
 * beside one plain pass of the same model and beside rembg, on rendered photos with exact mattes and on real ones.
 * It measures; it never fails on a missed bar.
 *
 * Usage: npm run eval -- [--count N] [--only LIST] [--html FILE] [--json]
 */
import { writeFile } from "node:fs/promises";
import { availableParallelism, totalmem } from "node:os";
import { cacheDir } from "../cache/cache-dir.ts";
import { runCommandLine } from "../terminal/command-line.ts";
import { createSteps } from "../terminal/steps.ts";
import { BLANKS, measureBlanks } from "./areas/blanks.ts";
import { measureColour } from "./areas/colour.ts";
import { measurePlace } from "./areas/place.ts";
import { measureRepeat } from "./areas/repeat.ts";
import { measureSegment } from "./areas/segment.ts";
import { measureUpscale } from "./areas/upscale.ts";
import { type Area, type EvalArguments, parseEvalArguments, USAGE } from "./arguments.ts";
import { LIMITS, ourCutter } from "./cutters/pipeline.ts";
import { type AreaResult, tableLines } from "./figures.ts";
import { renderPage } from "./page/page.ts";
import { readRealPhotos } from "./real-photos.ts";
import { readPicture } from "./render/synthetic-set.ts";
import { ENLARGEMENTS, prepareSubjects, type Subjects } from "./subjects.ts";

/** A whole evaluation looks at all blanks; a short one at as many as it has pictures, and never at fewer. */
const FEWEST_BLANKS = 10;
const MAX_FINAL_PIXELS = 12e6;

type Measure = (subjects: Subjects, count: number, onProgress: (text: string) => void) => Promise<AreaResult>;

const MEASURES: Readonly<Record<Area, Measure>> = {
  segment: async (subjects, _count, onProgress) =>
    measureSegment({ set: await subjects.syntheticSet(), cutters: await subjects.cutters(), onProgress }),
  blanks: async (subjects, count, onProgress) =>
    measureBlanks({
      cutters: await subjects.cutters(),
      count: Math.min(BLANKS, Math.max(FEWEST_BLANKS, count)),
      onProgress,
    }),
  place: async (subjects, _count, onProgress) =>
    measurePlace(await subjects.placed(), ourCutter(subjects.sessions), onProgress),
  colour: measureColour,
  upscale: async ({ sessions }, _count, onProgress) =>
    measureUpscale({ photos: await readRealPhotos(), enlargements: ENLARGEMENTS, sessions, onProgress }),
  repeat: async (subjects) => {
    const { photo } = await readPicture(await subjects.syntheticSet(), 0);
    const limits = { ...LIMITS, maxFinalPixels: MAX_FINAL_PIXELS };
    return measureRepeat({ ...subjects.settings, ...limits, upscalerQuality: "fast" }, photo);
  },
};

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

async function main({ count, only, html, json }: EvalArguments): Promise<void> {
  const steps = createSteps(process.stderr, () => performance.now());
  await using subjects = await prepareSubjects(cacheDir(process.env), count, steps);
  const results: AreaResult[] = [];
  for (const area of only) {
    const measured = await steps.run(area, "seconds a picture", (onProgress) =>
      MEASURES[area](subjects, count, onProgress),
    );
    results.push(measured);
  }
  for (const line of tableLines(results)) console.log(line);
  for (const { area, lines = [] } of results) {
    if (lines.length > 0) console.log([`\n${area}`, ...lines.map((line) => `  ${line}`)].join("\n"));
  }
  if (html !== undefined) {
    await writeFile(
      html,
      renderPage(results, `${count} synthetic photos; measured: ${[...only].join(", ")}`),
    );
    console.log(`\npictures side by side: ${html}`);
  }
  if (json) console.log(jsonLine(results));
}

process.exitCode = await runCommandLine({
  parse: () => parseEvalArguments(process.argv.slice(2)),
  usage: USAGE,
  run: async (wanted) => {
    if (wanted === "help") console.log(USAGE);
    else await main(wanted);
    return 0;
  },
});

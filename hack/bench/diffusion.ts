/**
 * bench:diffusion: what a denoising step costs on this machine's CPU, for UNets of three sizes. Ours runs beside
 * diffusers in torch and beside diffusers' own ONNX pipeline: the same random weights (the same files, where both
 * read ONNX), the same prompt, guidance, scheduler and threads, each in a process of its own, in turns.
 */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDir } from "../cache/cache-dir.ts";
import { ensureDiffusionPython, USUAL_INSTALL_TIME } from "../diffusion/setup.ts";
import { runCommandLine } from "../terminal/command-line.ts";
import { createSteps } from "../terminal/steps.ts";
import { type DiffusionArguments, parseDiffusionArguments, USAGE } from "./diffusion/arguments.ts";
import { ensureBenchModels, PEER_PROGRAM, SIDES, type Size, USUAL_TIME } from "./diffusion/models.ts";
import { measureSize, PARTIES, type SizeFigures } from "./diffusion/rounds.ts";
import { type BenchResult, type Goal, reportLines } from "./report.ts";
import { startProgram } from "./worked-program.ts";

const GOALS: Readonly<Record<string, number>> = { ratio_onnx_peer: 1, ratio_torch: 0.8, loop_overhead: 0.02 };
const OUR_PROGRAM = fileURLToPath(new URL("diffusion/our-program.ts", import.meta.url));

interface Bench {
  readonly python: string;
  readonly models: string;
  readonly threads: string;
}

/** All three are open at once, so that their turns lie close together. */
async function measure(
  size: Size,
  { python, models, threads }: Bench,
  rounds: Parameters<typeof measureSize>[1],
) {
  const ourArguments = [OUR_PROGRAM, join(models, size), String(SIDES[size]), threads];
  const peerEnv = { ...process.env, DIFFUSERS_VERBOSITY: "error", TRANSFORMERS_VERBOSITY: "error" };
  const peer = (kind: string) =>
    startProgram(python, ["-W", "ignore", PEER_PROGRAM, kind, models, size, threads], peerEnv);
  await using ours = await startProgram(process.execPath, ourArguments, process.env);
  await using onnx = await peer("onnx");
  await using torch = await peer("torch");
  return await measureSize({ ours, onnx, torch }, rounds);
}

function figuresOf(size: Size, { stepSeconds, peakMegabytes, ratios, overhead }: SizeFigures) {
  const figures: Record<string, number> = {};
  for (const party of PARTIES) figures[`${size}_${party}_step_seconds`] = stepSeconds[party];
  for (const party of PARTIES) figures[`${size}_${party}_peak_rss_mb`] = peakMegabytes[party];
  for (const peer of ["onnx", "torch"] as const) {
    figures[`${size}_ratio_${peer}`] = ratios[peer].median;
    figures[`${size}_ratio_${peer}_lowest`] = ratios[peer].lowest;
    figures[`${size}_ratio_${peer}_highest`] = ratios[peer].highest;
  }
  figures[`${size}_loop_overhead`] = overhead;
  return figures;
}

async function measureAll({
  sizes,
  rounds,
  threads,
  steps: denoising,
}: DiffusionArguments): Promise<BenchResult> {
  const steps = createSteps(process.stderr, () => performance.now());
  const cache = cacheDir(process.env);
  const python = await steps.runIfNeeded("diffusers: installing it", USUAL_INSTALL_TIME, (onProgress) =>
    ensureDiffusionPython(cache, onProgress),
  );
  const models = await steps.runIfNeeded("models of random weights", USUAL_TIME, (onProgress) =>
    ensureBenchModels(cache, python, onProgress),
  );
  const bench = { python, models, threads: String(threads) };
  const measured: SizeFigures[] = [];
  const figures: Record<string, number> = {};
  for (const size of sizes) {
    const found = await steps.run(`${size}, beside diffusers`, "a minute or two", (onProgress) =>
      measure(size, bench, { rounds, steps: denoising, onProgress }),
    );
    measured.push(found);
    Object.assign(figures, figuresOf(size, found));
  }
  // The worst of the sizes: a goal is met when all meet it.
  const worst = (of: (found: SizeFigures) => number) => Math.max(...measured.map(of));
  figures["ratio_onnx_peer"] = worst(({ ratios }) => ratios.onnx.median);
  figures["ratio_torch"] = worst(({ ratios }) => ratios.torch.median);
  figures["loop_overhead"] = worst(({ overhead }) => overhead);
  const goals = Object.entries(GOALS).map(([name, goal]): Goal => {
    return { name, value: figures[name] ?? NaN, goal, better: "lower" };
  });
  return { bench: "diffusion", figures, goals };
}

process.exitCode = await runCommandLine({
  parse: () => parseDiffusionArguments(process.argv.slice(2)),
  usage: USAGE,
  run: async (wanted) => {
    const lines = wanted === "help" ? [USAGE] : reportLines(await measureAll(wanted), wanted.json);
    for (const line of lines) console.log(line);
    return 0;
  },
});

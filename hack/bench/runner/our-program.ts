/**
 * The runner's engine as a program of lines, so that it is measured as its peers are: from files to files, in a
 * process of its own. Arguments: the worker's settings as JSON. Tasks: `{stages, input, out}`; `input` is a photo,
 * or, where the stages begin with "upscale", a picture. Answers `{seconds: {stage: S}, eventLoopP99Millis}`.
 */
import { readFile, writeFile } from "node:fs/promises";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { createInterface } from "node:readline";
import * as z from "zod";
import { Brand } from "#crds/brand.ts";
import { Stage } from "#crds/stages.ts";
import { createEngine } from "../../../gpu-runner/engine.ts";
import { productBoxOf } from "../../../gpu-runner/report.ts";
import type { StageResult, StageWork, WorkerSettings } from "../../../gpu-runner/stage-work.ts";

const FACTOR = 2;
const NANOSECONDS_A_MILLISECOND = 1e6;
const BRAND = Brand.parse({ upscale: FACTOR });

const Task = z.object({ stages: z.array(Stage).min(1), input: z.string(), out: z.string() });

const engine = createEngine(JSON.parse(process.argv[2] ?? "{}") as WorkerSettings);
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();

type Done = { readonly stage: Stage } & StageResult;

function workOf(stage: Stage, input: Uint8Array, done: readonly Done[]): StageWork {
  const picture = done.at(-1)?.picture.bytes ?? input;
  switch (stage) {
    // The peer cuts once.
    case "segment":
      return { stage, photo: input, minScore: 0 };
    case "place":
      return { stage, photo: input, picture, brand: BRAND, upscale: FACTOR };
    case "upscale":
      return { stage, picture, factor: FACTOR, ...productBoxOf(done) };
    default:
      return stage satisfies never;
  }
}

async function perform(line: string): Promise<object> {
  const { stages, input, out } = Task.parse(JSON.parse(line));
  const bytes = await readFile(input);
  const done: Done[] = [];
  const seconds: Partial<Record<Stage, number>> = {};
  for (const stage of stages) {
    const started = performance.now();
    done.push({ stage, ...(await engine.run(workOf(stage, bytes, done))) });
    seconds[stage] = (performance.now() - started) / 1000;
  }
  await writeFile(out, done.at(-1)?.picture.bytes ?? "");
  return { seconds, eventLoopP99Millis: delay.percentile(99) / NANOSECONDS_A_MILLISECOND };
}

for await (const line of createInterface({ input: process.stdin })) {
  const answer = await perform(line).catch((error: unknown) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await engine.close();

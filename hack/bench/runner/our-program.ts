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
import { Stage, STAGES } from "#crds/stages.ts";
import { createEngine } from "../../../gpu-runner/engine.ts";
import { givingMemoryBack } from "../../../gpu-runner/freed-memory.ts";
import type { StageResult, StageWork, WorkerSettings } from "../../../gpu-runner/stage-work.ts";
import { workOfStage } from "../../../gpu-runner/work-of-stage.ts";

givingMemoryBack(process.env);

const FACTOR = 2;
const NANOSECONDS_A_MILLISECOND = 1e6;
/** A cut is not tried again: the peer cuts once. */
const ORDERS = { brand: Brand.parse({ upscale: FACTOR, minScore: 0 }), stages: STAGES };

const Task = z.object({ stages: z.array(Stage).min(1), input: z.string(), out: z.string() });

const engine = createEngine(JSON.parse(process.argv[2] ?? "{}") as WorkerSettings);
const delay = monitorEventLoopDelay({ resolution: 5 });
delay.enable();

type Done = { readonly stage: Stage } & StageResult;

/** A picture that is not cut first is enlarged as it is. */
function workFor(stage: Stage, input: Uint8Array, done: readonly Done[]): Promise<StageWork> {
  return workOfStage(stage, ORDERS, {
    photo: () => Promise.resolve(input),
    backdrop: () => Promise.resolve(undefined),
    picture: done.at(-1)?.picture.bytes ?? input,
    records: done.map(({ picture, ...rest }) => ({ ...rest, width: picture.width, height: picture.height })),
  });
}

async function perform(line: string): Promise<object> {
  const { stages, input, out } = Task.parse(JSON.parse(line));
  const bytes = await readFile(input);
  const done: Done[] = [];
  const seconds: Partial<Record<Stage, number>> = {};
  for (const stage of stages) {
    const started = performance.now();
    done.push({ stage, ...(await engine.run(await workFor(stage, bytes, done))) });
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

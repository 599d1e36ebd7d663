/**
 * The engine as a program of lines, measured step by step as its peers are. Arguments: the model's folder, pixels a
 * side, threads. Tasks: `{steps, guidance}`; answers `{stepSeconds, networkSeconds}`: between the ends of two steps,
 * and how much of each the networks took.
 */
import { createInterface } from "node:readline";
import * as z from "zod";
import { openPipeline } from "../../../gpu-runner/diffusion/pipeline.ts";
import { ModelSessions } from "../../../gpu-runner/models/sessions.ts";

const PROMPT = "a red mug on an oak table, soft morning light";
const Task = z.object({ steps: z.int().min(2), guidance: z.number() });
const Arguments = z.tuple([z.string(), z.coerce.number(), z.coerce.number()]);

const [dir, side, intraOpThreads] = Arguments.parse(process.argv.slice(2));
const sessions = new ModelSessions({ modelsDir: dir, provider: "cpu", intraOpThreads });
const pipeline = await openPipeline(dir, (path, edit) => sessions.part(path, edit));

const differences = (values: readonly number[]) =>
  values.slice(1).map((value, i) => value - (values[i] ?? 0));

for await (const line of createInterface({ input: process.stdin })) {
  const { steps, guidance } = Task.parse(JSON.parse(line));
  const [ends, busy]: [number[], number[]] = [[], []];
  const onStep = () => {
    ends.push(performance.now() / 1000);
    busy.push(sessions.busySeconds);
  };
  await pipeline.generate(
    { prompt: PROMPT, width: side, height: side, steps, guidance, seeds: [0] },
    { onStep },
  );
  console.log(JSON.stringify({ stepSeconds: differences(ends), networkSeconds: differences(busy) }));
}

/** The same recipe twice, and whether the main thread stays free while a model runs. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { Brand } from "#crds/brand.ts";
import { createEngine, type Engine } from "../../../gpu-runner/engine.ts";
import type { StageWork, WorkerSettings } from "../../../gpu-runner/stage-work.ts";
import type { AreaResult } from "../figures.ts";

const NANOSECONDS_A_MILLISECOND = 1e6;

/** Each stage's picture, one after another, as a pod makes them. */
async function render(engine: Engine, photo: Uint8Array): Promise<Buffer[]> {
  const brand = Brand.parse({ seed: 7 });
  const run = async (work: StageWork) => (await engine.run(work)).picture.bytes;
  const cutout = await run({ stage: "segment", photo });
  const placed = await run({ stage: "place", photo, picture: cutout, brand, upscale: 2 });
  const final = await run({ stage: "upscale", picture: placed, factor: 2 });
  return [cutout, placed, final].map((bytes) => Buffer.from(bytes));
}

/** @param photo shows a product */
export async function measureRepeat(settings: WorkerSettings, photo: Uint8Array): Promise<AreaResult> {
  const delay = monitorEventLoopDelay({ resolution: 5 });
  const renders: Buffer[][] = [];
  for (let time = 0; time < 2; time++) {
    const engine = createEngine(settings);
    delay.enable();
    renders.push(await render(engine, photo));
    delay.disable();
    await engine.close();
  }
  const [first = [], second = []] = renders;
  const equal = first.filter((bytes, i) => second[i]?.equals(bytes) === true).length;
  return {
    area: "repeat",
    figures: [
      {
        key: "stages_byte_equal",
        label: "stages re-rendered to equal bytes, of 3",
        ours: equal,
        bar: { value: 3, better: "higher" },
      },
      {
        key: "event_loop_p99_ms",
        label: "main thread's delay while models run, p99 (ms)",
        ours: delay.percentile(99) / NANOSECONDS_A_MILLISECOND,
        bar: { value: 50, better: "lower" },
      },
    ],
  };
}

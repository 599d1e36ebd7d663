import type { Reaper } from "../../processes/reaper.ts";
import type { Steps } from "../../terminal/steps.ts";
import { startFakeNodes } from "../kwok/fake-nodes.ts";
import { describeRound, largeFigures } from "./figures.ts";
import { createOpal } from "./opal.ts";
import { runRound } from "./round.ts";

const NODES = 8;
const GPUS_PER_NODE = 8;
const GPU_CLASS = "fake";
const PICTURES = 10;
/** Short, so that the control plane and the operator are the limit, not the GPUs. */
const RUN_MILLISECONDS = 500;
const WARM_UP_JOBS = 20;

export interface LargeJobs {
  readonly jobs: number;
  readonly isCoalescing: boolean;
  /** kwok's program. */
  readonly kwok: string;
  readonly reaper: Reaper;
  readonly steps: Steps;
  readonly print: (line: string) => void;
}

/** Ten-picture OpalJobs on fake nodes: what the control plane and the operator bear. */
export async function runLargeJobs({ jobs, isCoalescing, kwok, reaper, steps, print }: LargeJobs) {
  const gpus = NODES * GPUS_PER_NODE;
  const contender = createOpal({
    pool: { name: "fake", gpuClass: GPU_CLASS, gpus },
    pictures: PICTURES,
    isCoalescing,
    // A job is one shard, whose manifest is in its pod's annotation: that is all that a fake kubelet can read.
    config: { shardSize: PICTURES },
  });
  const fake = {
    program: kwok,
    nodes: NODES,
    gpusPerNode: GPUS_PER_NODE,
    gpuClass: GPU_CLASS,
    runMilliseconds: RUN_MILLISECONDS,
  };
  const round = await steps.run(`${jobs} jobs on fake nodes`, "three minutes", (onProgress) =>
    runRound({
      contender,
      jobs,
      warmUpJobs: WARM_UP_JOBS,
      nodes: [],
      gpus,
      reaper,
      prepare: (place) => startFakeNodes(fake, place),
      onProgress,
    }),
  );
  for (const line of describeRound("opal on fake nodes", round, jobs)) print(line);
  return largeFigures(round, jobs);
}

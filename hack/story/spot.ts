import type { Stage } from "./stage.ts";
import type { Teller } from "./teller.ts";

const NOTICE_SECONDS = 4;
const WAITING = ["-l", "opal.dev/job=vases", "--field-selector", "status.phase=Pending"];

export interface SpotFacts {
  readonly total: number;
  readonly done: number;
  readonly failed: number;
  readonly attempts: number;
  readonly wastedGpuSeconds: number;
  /** Items that were done when the notice came. */
  readonly doneBefore: number;
}

/** A spot machine is taken back in the middle of a job that may not retry anything. */
export async function playSpot(stage: Stage, teller: Teller): Promise<SpotFacts> {
  teller.heading(
    "A spot machine is taken back in the middle of a job",
    `Azure announces it ${NOTICE_SECONDS} seconds before (30 in real life); a new machine comes when the old one has gone.`,
  );
  await stage.apply("spot.yaml");
  await stage.until("the job runs on two GPUs", async () => {
    const { items } = (await stage.job("vases")).status;
    return items?.running === 2;
  });
  await teller.show("get pods -o wide -l opal.dev/job=vases", "both pods are on l4-spot-0");
  const doneBefore = await stage.until("some of it is done", async () => {
    const done = (await stage.job("vases")).status.items?.done ?? 0;
    return done >= 2 && done;
  });
  await stage.cluster.control("reclaim-node", "l4-spot-0", { noticeSeconds: NOTICE_SECONDS });
  await teller.show("get nodes -l opal.dev/gpu-class=l4", "l4-spot-0 takes no new pods");
  await stage.until("the machine is gone, and new pods wait for one", async () => {
    const nodes = await stage.kubectl("get", "nodes", "-o", "name");
    const waiting = await stage.kubectl("get", "pods", ...WAITING, "-o", "name");
    return !nodes.includes("l4-spot-0") && waiting !== "";
  });
  await teller.show(
    "get pods -l opal.dev/job=vases",
    "the old ones finished their stage and ended; new ones wait for a machine",
  );
  await teller.show("get oj vases", "the job keeps its pool and what is done");
  const node = { name: "l4-spot-1", gpuClass: "l4", gpus: 2, spot: true };
  await stage.cluster.control("add-node", node.name, { node });
  teller.say("the autoscaler brings l4-spot-1");
  const { status } = await stage.until("the job is done", async () => {
    const job = await stage.job("vases");
    return job.status.completionTime !== undefined && job;
  });
  await teller.show(
    "describe oj vases",
    "one attempt, all items done and no GPU time wasted, though Retry allows none: an eviction costs none",
  );
  const { total = 0, done = 0, failed = 0 } = status.items ?? {};
  return {
    total,
    done,
    failed,
    attempts: status.attempts ?? 0,
    wastedGpuSeconds: status.usage?.wastedGpuSeconds ?? 0,
    doneBefore,
  };
}

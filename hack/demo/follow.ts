import { setTimeout as sleep } from "node:timers/promises";
import type { Opal } from "../launch/launch.ts";
import { createPodProgress } from "../launch/pod-progress.ts";
import type { Narrator } from "./narrator.ts";
import { progressOf } from "./progress-view.ts";
import type { JobView, Tenant } from "./tenant.ts";

const POLL_MILLISECONDS = 500;

export interface Follow {
  readonly tenant: Tenant;
  readonly opal: Opal;
  readonly narrator: Narrator;
  readonly jobId: string;
  readonly deadlineSeconds: number;
}

/**
 * Shows the job's photos until each has its verdict: statuses as the tenant sees them, stages as the pods tell.
 * @throws {Error} when the deadline passes first.
 */
export async function followJob({
  tenant,
  opal,
  narrator,
  jobId,
  deadlineSeconds,
}: Follow): Promise<JobView> {
  const podProgress = createPodProgress(opal.cluster.kubeconfig("admin"), opal.namespace);
  const deadline = performance.now() + deadlineSeconds * 1000;
  for (;;) {
    const [view, pods] = await Promise.all([tenant.job(jobId), podProgress(jobId)]);
    narrator.progress(
      view.items.map((item, index) => ({
        id: item.item_id,
        filename: item.filename,
        progress: progressOf(item.status, index, pods),
      })),
    );
    if (view.status === "completed" || view.status === "failed") return view;
    if (performance.now() > deadline) {
      throw new Error(`the job is still ${view.status} after ${deadlineSeconds} s; logs are in ${opal.dir}`);
    }
    await sleep(POLL_MILLISECONDS);
  }
}

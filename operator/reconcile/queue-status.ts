import { QUEUE_REASONS } from "#crds/conditions.ts";
import type { OpalQueue, OpalQueueStatus } from "#crds/opalqueue.ts";
import type { QueuePlan } from "../schedule/plan.ts";
import { windowStartMs } from "../schedule/usage.ts";
import { utcMinute } from "../schedule/words.ts";
import { accrued, type GpuSpan, hasNews } from "./usage-account.ts";

/** What is seen of a queue. */
export interface QueueSight {
  readonly queue: OpalQueue;
  /** Undefined until the first plan. */
  readonly plan: QueuePlan | undefined;
  /** Its pods, those that ended after the account was last written included. */
  readonly spans: readonly GpuSpan[];
}

export function nextQueueStatus(
  seen: QueueSight,
  { now, halfLifeSeconds }: { now: Date; halfLifeSeconds: number },
): OpalQueueStatus {
  const { queue, plan, spans } = seen;
  const { metadata, status } = queue;
  const usage = hasNews(queue, spans)
    ? accrued(queue, spans, { nowMs: now.getTime(), halfLifeSeconds })
    : status.usage;
  return {
    observedGeneration: metadata.generation,
    conditions: [active(queue, plan, now)],
    ...(plan && countsOf(plan)),
    ...(usage && { usage }),
  };
}

function countsOf(plan: QueuePlan): OpalQueueStatus {
  const classes = Object.entries(plan.inUse)
    .filter(([, held]) => held > 0)
    .map(([gpuClass, held]) => ({ class: gpuClass, held, borrowed: plan.borrowed[gpuClass] ?? 0 }))
    .sort((a, b) => (a.class < b.class ? -1 : 1));
  const { budgetLeftGpuSeconds } = plan;
  return {
    pending: plan.pending,
    admitted: plan.admitted,
    gpus: classes.reduce((sum, { held }) => sum + held, 0),
    classes,
    share: `${Math.round(plan.share * 100)} %`,
    ...(budgetLeftGpuSeconds !== undefined && { budgetLeft: Math.max(0, Math.floor(budgetLeftGpuSeconds)) }),
  };
}

type Condition = NonNullable<OpalQueueStatus["conditions"]>[number];

function active({ metadata, spec, status }: OpalQueue, plan: QueuePlan | undefined, now: Date): Condition {
  const fact = spec.budget && isExhausted(plan) ? exhausted(spec.budget, now.getTime()) : ACCEPTING;
  const before = status.conditions?.find(({ type }) => type === "Active");
  return {
    type: "Active",
    ...fact,
    observedGeneration: metadata.generation,
    lastTransitionTime: before?.status === fact.status ? before.lastTransitionTime : now.toISOString(),
  };
}

type Fact = Pick<Condition, "status" | "reason" | "message">;
const ACCEPTING: Fact = { status: "True", reason: QUEUE_REASONS.AcceptingJobs, message: "" };

function exhausted(budget: NonNullable<OpalQueue["spec"]["budget"]>, nowMs: number): Fact {
  const { gpuSeconds } = budget;
  const end = utcMinute(windowStartMs(budget, nowMs) + budget.windowSeconds * 1000);
  const message = `The ${gpuSeconds} GPU-seconds of the window until ${end} are used or promised.`;
  return { status: "False", reason: QUEUE_REASONS.BudgetExhausted, message };
}

function isExhausted(plan: QueuePlan | undefined): boolean {
  return plan?.budgetLeftGpuSeconds !== undefined && plan.budgetLeftGpuSeconds <= 0;
}

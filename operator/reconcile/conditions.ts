import { type ConditionType, REASONS, type Reason } from "#crds/conditions.ts";
import type { Condition, OpalJobStatus } from "#crds/opaljob.ts";
import { toTimestamp } from "#crds/timestamp.ts";
import type { BlockedOn } from "../schedule/plan.ts";
import { counted } from "../schedule/words.ts";
import type { Verdict } from "./decision.ts";
import type { Observed, ObservedChild, ObservedPod } from "./observed.ts";
import type { Hindrance } from "./failures/standstill.ts";
import type { Assessment } from "./assess.ts";
import { heldSinceMs, restsSinceMs, runsSinceMs } from "./run-times.ts";
import { gpusOf, livePods, runningPods } from "./usage.ts";

type Fact = Pick<Condition, "type" | "status" | "message"> & { readonly reason: Reason };

/** Longer messages are cut: a status stays small, and details are in events and reports. */
const MAX_MESSAGE_LENGTH = 256;

/** The conditions that the world calls for. Complete and Failed are there only once they are true. */
export function conditionsOf(
  seen: Observed,
  assessment: Assessment,
  outcome: { verdict: Verdict | undefined; now: Date },
): Condition[] {
  const facts = [
    queued(seen, assessment, outcome.verdict),
    admitted(assessment, outcome.verdict),
    running(seen, assessment, outcome.verdict),
    suspended(seen, outcome.verdict),
    ...(outcome.verdict ? [ended(outcome.verdict)] : []),
  ];
  const nowMs = outcome.now.getTime();
  return facts.map((fact) => ({
    ...fact,
    message: fact.message.slice(0, MAX_MESSAGE_LENGTH),
    observedGeneration: seen.job.metadata.generation,
    lastTransitionTime: changedAt(fact, seen, { assessment, nowMs }),
  }));
}

/** When it happened: that an attempt was launched and that pods run is written some time after. */
function changedAt(
  { type, status }: Fact,
  seen: Observed,
  { assessment: { active }, nowMs }: { assessment: Assessment; nowMs: number },
): string {
  if (type === "Running") return toTimestamp((status === "True" ? runsSinceMs : restsSinceMs)(seen, nowMs));
  const before = seen.job.status.conditions?.find((condition) => condition.type === type);
  if (before?.status === status) return before.lastTransitionTime;
  if (type === "Admitted" && status === "True" && active)
    return toTimestamp(heldSinceMs(seen, active, nowMs));
  return toTimestamp(nowMs);
}

function is(type: ConditionType, reason: Reason, message: string): Fact {
  return { type, status: "True", reason, message };
}

function isNot(type: ConditionType, reason: Reason, message: string): Fact {
  return { type, status: "False", reason, message };
}

const WAITING_REASONS: Readonly<Record<BlockedOn, Reason>> = {
  gpus: REASONS.WaitingForGpus,
  preemption: REASONS.WaitingForGpus,
  order: REASONS.BehindOthers,
  pool: REASONS.NoMatchingPool,
  queue: REASONS.NoSuchQueue,
  quota: REASONS.QuotaExhausted,
  cohort: REASONS.QuotaExhausted,
  "max-jobs": REASONS.QuotaExhausted,
  budget: REASONS.QueueBudgetExhausted,
  "job-budget": REASONS.JobBudgetTooSmall,
  "stock-out": REASONS.PoolsStockedOut,
};

function queued({ placement }: Observed, { active }: Assessment, verdict: Verdict | undefined): Fact {
  if (active?.child.isSuspended && !verdict) {
    return is("Queued", REASONS.WaitingForKueue, "Kueue has not admitted the job's child yet.");
  }
  if (verdict || placement?.kind !== "waiting" || gpusOf(active) > 0) {
    return isNot("Queued", REASONS.NotWaiting, "");
  }
  return is("Queued", WAITING_REASONS[placement.blockedOn], placement.because);
}

function admitted({ active }: Assessment, verdict: Verdict | undefined): Fact {
  const gpus = gpusOf(active);
  if (verdict || !active || gpus === 0) return isNot("Admitted", REASONS.NoGpusAssigned, "");
  return is("Admitted", REASONS.GpusAssigned, holding(gpus, active.child));
}

/** The same whoever drives, so that it is written once. */
function holding(gpus: number, { pool, name, shared }: ObservedChild): string {
  if (!shared) return `Holds ${counted(gpus, "GPU")} of pool ${pool}.`;
  return `Shares Job ${name} on a GPU of pool ${pool} with ${counted(shared.members - 1, "other OpalJob")}.`;
}

function running(seen: Observed, { active }: Assessment, verdict: Verdict | undefined): Fact {
  if (verdict) return isNot("Running", REASONS.NoPods, "");
  const pods = livePods(seen);
  const runs = runningPods(seen).length;
  const why = seen.hindrance && heldUpBy(seen.hindrance);
  if (runs > 0) {
    const message = [`${runs} of ${pods.length} pods run.`, ...(why ? [why.message] : [])].join(" ");
    return is("Running", REASONS.PodsRunning, message);
  }
  if (pods.length === 0 && gpusOf(active) === 0) {
    return isNot("Running", REASONS.NoPods, "");
  }
  if (why) return why;
  return isNot("Running", REASONS.PodsStarting, whyNotYet(pods, active));
}

function whyNotYet(pods: readonly ObservedPod[], active: Assessment["active"]): string {
  const stuck = pods.find((pod) => pod.waitingReason !== undefined);
  if (stuck) return `${stuck.name}: ${stuck.waitingReason}`;
  const isAtWork = active?.child.shared?.pods.some((pod) => pod.phase === "Running") ?? false;
  return isAtWork ? "Others in the shared Job go first." : "";
}

function heldUpBy({ kind, class: told, message }: Hindrance): Fact {
  if (kind === "pod-not-starting") return isNot("Running", REASONS.PodsHindered, message);
  return isNot("Running", told === "quota" ? REASONS.NamespaceQuotaExhausted : REASONS.PodsRefused, message);
}

function suspended({ job }: Observed, verdict: Verdict | undefined): Fact {
  if (verdict || !job.spec.suspend) return isNot("Suspended", REASONS.NotSuspended, "");
  return is("Suspended", REASONS.SuspendedByUser, "spec.suspend is set.");
}

function ended({ type, reason, message }: Verdict): Fact {
  return is(type, reason, message);
}

export function transitionsOf(before: OpalJobStatus, after: OpalJobStatus): Condition[] {
  return (after.conditions ?? []).filter((condition) => {
    const known = before.conditions?.find((other) => other.type === condition.type);
    return condition.status === "True" && known?.status !== "True";
  });
}

/**
 * Observed → decision. Rules are asked in order and the first that speaks wins; each looks at the world and
 * never at conditions of an earlier pass, except that a finished job stays finished.
 */
import { isFinished, REASONS } from "#crds/conditions.ts";
import { counted } from "../schedule/words.ts";
import { assess, type Assessment } from "./assess.ts";
import type { Decision } from "./decision.ts";
import { desiredJob } from "./desired-job.ts";
import { failureOf, isMisconfigured } from "./failures.ts";
import { nextAttempt } from "./next-attempt.ts";
import type { Observed } from "./observed.ts";
import type { ReconcileSettings } from "./settings.ts";
import { livePods, usageOf } from "./usage.ts";
import { verdictOf } from "./verdict.ts";

export interface Sight {
  readonly seen: Observed;
  readonly assessment: Assessment;
  readonly settings: ReconcileSettings;
  readonly nowMs: number;
}

type Rule = (sight: Sight) => Decision | undefined;

const beingDeleted: Rule = ({ seen, assessment: { active } }) => {
  if (seen.deletedAtMs === undefined) return undefined;
  if (active)
    return { action: { do: "stop", child: active.child }, because: "The OpalJob is being deleted." };
  return { action: { do: "nothing" }, keepStatus: true, because: "The OpalJob is being deleted." };
};

/** The status is the record of a finished job: its children may be gone by now. */
const finished: Rule = ({ seen, assessment: { active }, nowMs }) => {
  const { job, completedAtMs } = seen;
  if (!isFinished(job.status.conditions ?? [])) return undefined;
  const because = "The job is finished.";
  if (active) return { action: { do: "stop", child: active.child }, keepStatus: true, because };
  const ttlSeconds = job.spec.ttlSecondsAfterFinished;
  if (ttlSeconds === undefined || completedAtMs === undefined) {
    return { action: { do: "nothing" }, keepStatus: true, because };
  }
  const afterMs = completedAtMs + ttlSeconds * 1000 - nowMs;
  if (afterMs > 0) return { action: { do: "nothing" }, keepStatus: true, because, afterMs };
  return { action: { do: "delete-opaljob" }, keepStatus: true, because: "Its time after the end is over." };
};

const misconfigured: Rule = ({ seen, assessment }) => {
  const pod = seen.children.at(-1)?.pods.find(isMisconfigured);
  if (!pod || assessment.attempts !== seen.children.at(-1)?.attempt) return undefined;
  const rest = failureOf(pod);
  const { message } = rest;
  const verdict = { type: "Failed", reason: REASONS.RunnerMisconfigured, message, rest } as const;
  return { action: { do: "nothing" }, verdict, because: message };
};

/** Progress may name all items before the pods have ended; their verdicts, which say more, are waited for. */
const settled: Rule = ({ seen, assessment }) => {
  if (assessment.active) return undefined;
  const verdict = verdictOf(seen.job, assessment);
  return verdict && { action: { do: "nothing" }, verdict, because: verdict.message };
};

const overBudget: Rule = ({ seen, nowMs }) => {
  const budget = seen.job.spec.budget?.gpuSeconds;
  const { gpuSeconds } = usageOf(seen, nowMs);
  if (budget === undefined || gpuSeconds < budget) return undefined;
  const message = `${gpuSeconds.toFixed(0)} GPU-seconds are used; the budget is ${budget}.`;
  const rest = { class: "budget", message } as const;
  const verdict = { type: "Failed", reason: REASONS.BudgetExhausted, message, rest } as const;
  return { action: { do: "nothing" }, verdict, because: message };
};

const suspended: Rule = ({ seen, assessment: { active } }) => {
  if (!seen.job.spec.suspend) return undefined;
  const because = "The job is suspended.";
  if (!active || active.child.parallelism === 0) return { action: { do: "nothing" }, because };
  return { action: { do: "resize", child: active.child, parallelism: 0 }, because };
};

const configMapMissing: Rule = ({ assessment: { active } }) => {
  if (!active || active.child.hasManifest) return undefined;
  return {
    action: { do: "restore-config-map", child: active.child },
    because: "The shards' manifests are missing.",
  };
};

const readyToLaunch: Rule = ({ seen, assessment, settings }) => {
  const { job, placement } = seen;
  if (assessment.active || placement?.kind !== "admitted") return undefined;
  const attempt = nextAttempt(job, assessment, settings);
  if (!attempt) return undefined;
  const manifest = desiredJob(job, attempt, { settings, gpus: placement.gpus });
  return {
    action: { do: "launch", attempt, manifest },
    because: `Attempt ${attempt.number}: ${counted(attempt.items.length, "item")} on ${counted(placement.gpus, "GPU")} of pool ${placement.pool}.`,
  };
};

/** Shards that end free their GPUs by themselves: only a real change of the allocation is written. */
const allocationChanged: Rule = ({ seen: { placement }, assessment: { active } }) => {
  if (!active) return undefined;
  const wanted = placement?.kind === "admitted" ? placement.gpus : 0;
  const usable = Math.min(active.child.parallelism, active.openShards);
  if (wanted === usable) return undefined;
  return {
    action: { do: "resize", child: active.child, parallelism: wanted },
    because: `The allocation changes from ${usable} to ${counted(wanted, "GPU")}.`,
  };
};

const waiting: Rule = (sight) => {
  const { placement } = sight.seen;
  const because = placement?.kind === "waiting" ? placement.because : "The pods are at work.";
  const afterMs = untilBudgetIsUsed(sight);
  return { action: { do: "nothing" }, because, ...(afterMs !== undefined && { afterMs }) };
};

function untilBudgetIsUsed({ seen, nowMs }: Sight): number | undefined {
  const budget = seen.job.spec.budget?.gpuSeconds;
  const pods = livePods(seen).length;
  if (budget === undefined || pods === 0) return undefined;
  return Math.max(0, ((budget - usageOf(seen, nowMs).gpuSeconds) / pods) * 1000);
}

/** Order is behaviour. */
export const RULES: readonly Rule[] = [
  beingDeleted,
  finished,
  misconfigured,
  settled,
  overBudget,
  suspended,
  configMapMissing,
  readyToLaunch,
  allocationChanged,
  waiting,
];

export function decide(seen: Observed, settings: ReconcileSettings, nowMs: number): Decision {
  const sight: Sight = { seen, assessment: assess(seen), settings, nowMs };
  for (const rule of RULES) {
    const decision = rule(sight);
    if (decision) return decision;
  }
  return { action: { do: "nothing" }, because: "No rule spoke." };
}

/**
 * Observed → decision. Rules are asked in order and the first that speaks wins; each looks at the world and
 * never at conditions of an earlier pass, except that a finished job stays finished.
 */
import { isFinished, REASONS } from "#crds/conditions.ts";
import { counted } from "../schedule/words.ts";
import { type ActiveChild, assess, type Assessment } from "./assess.ts";
import type { Decision } from "./decision.ts";
import { desiredJob } from "./desired-job.ts";
import { failureOf, isMisconfigured } from "./failures/classify.ts";
import { nextAttempt, nextChanges } from "./next-attempt.ts";
import type { JobPlacement, Observed, ObservedChild, ObservedPod } from "./observed.ts";
import type { ReconcileSettings } from "./settings.ts";
import { isNearHead } from "./status-write.ts";
import { gpusOf, livePods, podsOnGpus, usageOf } from "./usage.ts";
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
  if (active && !active.child.shared)
    return { action: { do: "stop", child: active.child }, because: "The OpalJob is being deleted." };
  return { action: { do: "nothing" }, keepStatus: true, because: "The OpalJob is being deleted." };
};

/** The status is the record of a finished job: its children may be gone by now. */
const finished: Rule = ({ seen, assessment: { active }, nowMs }) => {
  const { job, completedAtMs } = seen;
  if (!isFinished(job.status.conditions ?? [])) return undefined;
  const because = "The job is finished.";
  const left = leftBehind(seen, active?.child);
  if (left) return { action: { do: "stop", child: left }, keepStatus: true, because };
  const ttlSeconds = job.spec.ttlSecondsAfterFinished;
  if (ttlSeconds === undefined || completedAtMs === undefined) {
    return { action: { do: "nothing" }, keepStatus: true, because };
  }
  const afterMs = completedAtMs + ttlSeconds * 1000 - nowMs;
  if (afterMs > 0) return { action: { do: "nothing" }, keepStatus: true, because, afterMs };
  return { action: { do: "delete-opaljob" }, keepStatus: true, because: "Its time after the end is over." };
};

/** An attempt that was given up for another pool never ends by itself. Others may need a shared one. */
function leftBehind({ children }: Observed, active: ObservedChild | undefined): ObservedChild | undefined {
  const earlier = children.slice(0, -1).filter((child) => !child.isEnded && !child.isDeleting);
  const own = [...(active ? [active] : []), ...earlier].find((child) => !child.shared);
  return own ?? children.find(({ shared }) => shared?.isAbandoned && shared.isAccountant);
}

/** In a shared child another member may be to blame: who goes on alone finds out. */
const misconfigured: Rule = ({ seen, assessment }) => {
  const last = seen.children.at(-1);
  if (!last || last.shared || assessment.attempts !== last.attempt) return undefined;
  const pod = last.pods.find(isMisconfigured);
  if (!pod) return undefined;
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

/** What is left of its budget does not pay for what it needs at least: waiting would never end. */
const cannotAfford: Rule = ({ seen, assessment: { active } }) => {
  const { placement } = seen;
  if (placement?.kind !== "waiting" || placement.blockedOn !== "job-budget") return undefined;
  if (gpusOf(active) > 0 || livePods(seen).length > 0) return undefined;
  const message = placement.because;
  const rest = { class: "budget", message } as const;
  const verdict = { type: "Failed", reason: REASONS.BudgetExhausted, message, rest } as const;
  return { action: { do: "nothing" }, verdict, because: message };
};

const suspended: Rule = ({ seen, assessment: { active }, settings }) => {
  if (!seen.job.spec.suspend) return undefined;
  const because = "The job is suspended.";
  // It is one of several in there; the few items that it has are finished with the others'.
  if (active?.child.shared) return { action: { do: "nothing" }, because };
  // What Kueue has admitted keeps its quota until it is gone.
  if (active && settings.kueue) return { action: { do: "stop", child: active.child }, because };
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

const podLost: Rule = ({ seen, settings, nowMs }) => {
  const pod = podsInItsCare(seen).find((one) => lostForMs(one, nowMs) >= settings.unreachableSeconds * 1000);
  return (
    pod && {
      action: { do: "replace-lost-pod", pod, atMs: nowMs },
      because: `Node ${pod.nodeName} of pod ${pod.name} does not answer.`,
    }
  );
};

const podStuck: Rule = ({ seen, settings, nowMs }) => {
  const limitMs = settings.podStartTimeoutSeconds * 1000;
  const pod = podsInItsCare(seen).find((one) => !one.isDeleting && startingForMs(one, nowMs) >= limitMs);
  if (!pod) return undefined;
  const told = seen.hindrance?.uid === pod.uid ? ` ${seen.hindrance.message}` : "";
  const why = pod.waitingReason === undefined ? "" : `: ${failureOf(pod).message}`;
  return {
    action: { do: "replace-stuck-pod", pod },
    because: `Pod ${pod.name} has not started within ${settings.podStartTimeoutSeconds} s${why}.${told}`,
  };
};

/** A shared pod is in its driver's care. */
function podsInItsCare({ children }: Observed): ObservedPod[] {
  return children.flatMap(podsOnGpus);
}

function lostForMs({ unreachableSinceMs }: ObservedPod, nowMs: number): number {
  return unreachableSinceMs === undefined ? -1 : nowMs - unreachableSinceMs;
}

/** How long it has had a node and no running container. */
function startingForMs({ phase, scheduledAtMs }: ObservedPod, nowMs: number): number {
  return phase !== "Pending" || scheduledAtMs === undefined ? -1 : nowMs - scheduledAtMs;
}

const readyToLaunch: Rule = (sight) => (sight.assessment.active ? undefined : launch(sight));

function launch({ seen, assessment, settings }: Sight): Decision | undefined {
  const { job, placement, target, queue } = seen;
  if (placement?.kind !== "admitted" || !target || queue === undefined) return undefined;
  const attempt = nextAttempt(job, assessment, settings);
  if (!attempt) return undefined;
  const { gpus, pool } = placement;
  const { avoidNodes } = nextChanges(assessment);
  const { done } = assessment;
  const manifest = desiredJob(job, attempt, { pool: target, gpus, queue, avoidNodes, done }, settings);
  return {
    action: { do: "launch", pool, attempt, manifest },
    because: `Attempt ${attempt.number}: ${counted(attempt.items.length, "item")} on ${counted(gpus, "GPU")} of pool ${pool}.`,
  };
}

/**
 * The plan has another pool for the job: its attempt gives its GPUs back, and once its pods are gone the next
 * attempt begins there with what is unfinished.
 */
const moving: Rule = (sight) => {
  const { seen, assessment, settings } = sight;
  const { active } = assessment;
  const { placement } = seen;
  if (!active || settings.kueue || isPassenger(active.child)) return undefined;
  const { child } = active;
  if (placement?.kind !== "admitted" || placement.pool === child.pool) return undefined;
  const because = reasonOf(placement) ?? `The job moves from pool ${child.pool} to ${placement.pool}.`;
  if (child.parallelism > 0) {
    const withdrawal = givesBack(active, gpusOf(active));
    return { action: { do: "resize", child, parallelism: 0 }, because, withdrawal };
  }
  if (podsOnGpus(child).length > 0) return { action: { do: "nothing" }, because };
  return launch({ ...sight, assessment: assess(seen, { retired: true }) });
};

/** Shards that end free their GPUs by themselves: only a real change of the allocation is written. */
const allocationChanged: Rule = ({ seen: { placement }, assessment: { active }, settings }) => {
  if (!active || settings.kueue || isPassenger(active.child)) return undefined;
  const wanted = placement?.kind === "admitted" ? placement.gpus : 0;
  const usable = gpusOf(active);
  if (wanted === usable) return undefined;
  const because =
    reasonOf(placement) ?? `The allocation changes from ${usable} to ${counted(wanted, "GPU")}.`;
  return {
    action: { do: "resize", child: active.child, parallelism: wanted },
    because,
    ...(isWithdrawal(placement) && { withdrawal: givesBack(active, usable - wanted) }),
  };
};

function isPassenger({ shared }: ObservedChild): boolean {
  return shared !== undefined && !shared.isDriver;
}

function reasonOf(placement: JobPlacement | undefined): string | undefined {
  const waitsFor = placement?.kind === "waiting" ? placement.because : undefined;
  return placement?.change?.because ?? waitsFor;
}

function isWithdrawal(placement: JobPlacement | undefined): boolean {
  return placement?.change !== undefined && placement.change.reason !== "FewerShards";
}

function givesBack(active: ActiveChild, gpus: number): string {
  const held = counted(gpusOf(active), "GPU");
  return `Gives back ${gpus < gpusOf(active) ? `${gpus} of ` : ""}its ${held} of pool ${active.child.pool}.`;
}

const waiting: Rule = (sight) => {
  const { placement, hindrance } = sight.seen;
  const atWork = hindrance?.message ?? "The pods are at work.";
  const because = placement?.kind === "waiting" ? placement.because : atWork;
  const afterMs = untilItMustBeSeenAgain(sight);
  return { action: { do: "nothing" }, because, ...(afterMs !== undefined && { afterMs }) };
};

/** What time alone brings about: the budget is used up, a lost or stuck pod's time is over. */
function untilItMustBeSeenAgain(sight: Sight): number | undefined {
  const { seen, settings, nowMs } = sight;
  const times = podsInItsCare(seen).flatMap((pod) => [
    left(lostForMs(pod, nowMs), settings.unreachableSeconds),
    left(startingForMs(pod, nowMs), settings.podStartTimeoutSeconds),
  ]);
  const known = [untilBudgetIsUsed(sight), untilItsPlaceIsOld(sight), ...times].filter(
    (time) => time !== undefined,
  );
  return known.length === 0 ? undefined : Math.min(...known);
}

/** Who stands far back hardly moves: its place is looked at less often than that of the few at the head. */
function untilItsPlaceIsOld({ seen: { placement }, settings }: Sight): number | undefined {
  if (placement?.kind !== "waiting") return undefined;
  if (isNearHead(placement.position)) return settings.statusIntervalSeconds * 1000;
  return settings.backgroundIntervalSeconds * 1000 * (1 + (placement.position ?? 0) / PLACES_PER_INTERVAL);
}
const PLACES_PER_INTERVAL = 20;

/** A pod that is being deleted already is past its time; it is not looked at again and again. */
function left(elapsedMs: number, limitSeconds: number): number | undefined {
  const leftMs = limitSeconds * 1000 - elapsedMs;
  return elapsedMs < 0 || leftMs <= 0 ? undefined : leftMs;
}

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
  cannotAfford,
  suspended,
  configMapMissing,
  podLost,
  podStuck,
  readyToLaunch,
  moving,
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

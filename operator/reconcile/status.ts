import { phaseOf } from "#crds/conditions.ts";
import { MAX_LISTED_FAILURES, type OpalJobStatus } from "#crds/opaljob.ts";
import { toTimestamp, toWholeSeconds } from "#crds/timestamp.ts";
import { assess, type Assessment } from "./assess.ts";
import { conditionsOf } from "./conditions.ts";
import type { Action, Decision, Verdict } from "./decision.ts";
import type { Observed, ObservedChild, SharedFacts } from "./observed.ts";
import { firstStartMs, heldSinceMs } from "./run-times.ts";
import type { ItemFailure } from "./shard-reading.ts";
import { gpusOf, runningPods, usageOf } from "./usage.ts";
import { itemId } from "./verdict.ts";

/** Bytes of JSON: the status stays this small whatever the job's size. */
export const MAX_STATUS_BYTES = 8192;

const MAX_BECAUSE_LENGTH = 512;

/** The status that is true once the decision's action is done. Nothing in it depends on who writes it. */
export function nextStatus(
  seen: Observed,
  decision: Pick<Decision, "action" | "verdict">,
  now: Date,
): OpalJobStatus {
  const after = project(seen, decision.action, now.getTime());
  const { verdict } = decision;
  const assessment = closed(assess(after), verdict);
  const before = seen.job.status;
  const conditions = conditionsOf(after, assessment, { verdict, now });
  const items = itemCounts(after, assessment, verdict);
  const startTime = before.startTime ?? startTimeOf(seen, { verdict, now });
  return bounded({
    phase: phaseOf(conditions),
    progress: `${items.done}/${items.total}`,
    observedGeneration: seen.job.metadata.generation,
    conditions,
    items,
    stages: stageCounts(after, assessment, items.done),
    ...failedItems(after, assessment),
    ...assignment(after, assessment, { verdict, now }),
    ...queue(after, assessment, verdict),
    ...eta(after, verdict),
    usage: usage(after, now),
    attempts: assessment.attempts,
    ...(startTime !== undefined && { startTime }),
    ...(verdict && { completionTime: now.toISOString() }),
  });
}

function startTimeOf(
  seen: Observed,
  { verdict, now }: { verdict: Verdict | undefined; now: Date },
): string | undefined {
  const startMs = firstStartMs(seen, now.getTime());
  if (startMs !== undefined) return toTimestamp(startMs);
  return verdict && now.toISOString();
}

/** With the job's end every item has ended. */
function closed(assessment: Assessment, verdict: Verdict | undefined): Assessment {
  if (!verdict?.rest) return assessment;
  const failed = new Map<number, ItemFailure>();
  for (let index = 0; index < assessment.total; index++) {
    if (assessment.done.has(index)) continue;
    failed.set(index, assessment.failed.get(index) ?? verdict.rest);
  }
  return { ...assessment, failed };
}

/** What will be seen when the action is done. */
function project(seen: Observed, action: Action, nowMs: number): Observed {
  switch (action.do) {
    case "nothing":
    case "delete-opaljob":
    case "restore-config-map":
    case "replace-stuck-pod":
    case "replace-lost-pod":
      return seen;
    case "launch":
      return { ...seen, children: [...seen.children, launched(seen, action, nowMs)] };
    case "resize":
      return withChild(seen, { ...action.child, parallelism: action.parallelism });
    case "stop":
      return withChild(seen, {
        ...action.child,
        parallelism: 0,
        pods: action.child.pods.map((pod) => ({ ...pod, isGone: true })),
      });
    default:
      return action satisfies never;
  }
}

function withChild(seen: Observed, child: ObservedChild): Observed {
  return { ...seen, children: seen.children.map((other) => (other.uid === child.uid ? child : other)) };
}

function launched(
  seen: Observed,
  { attempt, manifest, pool, passengers }: Extract<Action, { do: "launch" }>,
  nowMs: number,
): ObservedChild {
  return {
    ...(passengers && { shared: sharedWith(passengers) }),
    pool,
    pricePerGpuHour: seen.target?.spec.pricePerGpuHour ?? 0,
    vramGiB: seen.target?.spec.vramGiB ?? 0,
    createdAtMs: nowMs,
    isSuspended: manifest.spec.suspend ?? false,
    tileScale: attempt.tileScale,
    uid: "",
    name: manifest.metadata.name,
    attempt: attempt.number,
    items: attempt.items,
    doneBefore: [],
    shardSize: attempt.shardSize,
    parallelism: manifest.spec.parallelism,
    isDeleting: false,
    hasManifest: true,
    isEnded: false,
    succeededShards: new Set(),
    failedShards: new Set(),
    pods: [],
  };
}

function sharedWith(passengers: readonly string[]): SharedFacts {
  return {
    members: 1 + passengers.length,
    driver: undefined,
    isDriver: true,
    isAccountant: true,
    openItems: 0,
    isRetired: false,
    isAbandoned: false,
    pods: [],
  };
}

function itemCounts(seen: Observed, { total, done, failed }: Assessment, verdict: Verdict | undefined) {
  // What is done stays done, even when the pod that said so is gone and was never seen by this process.
  const doneCount = verdict
    ? done.size
    : Math.min(total, Math.max(done.size, seen.job.status.items?.done ?? 0));
  const left = Math.max(0, total - doneCount - failed.size);
  const running = verdict ? 0 : Math.min(left, runningPods(seen).length);
  return { total, pending: left - running, running, done: doneCount, failed: failed.size };
}

function stageCounts({ job }: Observed, { total, active }: Assessment, done: number) {
  const count = (stage: "segment" | "place" | "upscale") => {
    if (!job.spec.stages.includes(stage)) return 0;
    const now = done + (active?.stages[stage] ?? 0);
    return Math.min(total, Math.max(now, job.status.stages?.[stage] ?? 0));
  };
  return { segment: count("segment"), place: count("place"), upscale: count("upscale") };
}

/** Items that the budget did not reach are counted and not listed: the condition says it once for all of them. */
function failedItems({ job }: Observed, { failed }: Assessment): Pick<OpalJobStatus, "failedItems"> {
  const tried = [...failed].filter(([, failure]) => failure.class !== "budget");
  if (tried.length === 0) return {};
  const listed = tried.sort(([a], [b]) => a - b).slice(0, MAX_LISTED_FAILURES);
  return {
    failedItems: listed.map(([index, failure]) => ({
      id: itemId(job, index, failure),
      class: failure.class,
      message: failure.message.slice(0, 200),
    })),
  };
}

function assignment(
  seen: Observed,
  { active }: Assessment,
  { verdict, now }: { verdict: Verdict | undefined; now: Date },
): Pick<OpalJobStatus, "assignment"> {
  const gpus = gpusOf(active);
  if (verdict || !active || gpus === 0) return {};
  const { pool } = active.child;
  const before = seen.job.status.assignment;
  const since = before?.pool === pool ? before.since : toTimestamp(heldSinceMs(seen, active, now.getTime()));
  // One member of a shared child holds its GPU, and not each of them.
  const isPassenger = active.child.shared?.isDriver === false;
  return { assignment: { pool, gpus: isPassenger ? 0 : gpus, since } };
}

function queue(
  { placement }: Observed,
  { active }: Assessment,
  verdict: Verdict | undefined,
): Pick<OpalJobStatus, "queue"> {
  if (verdict || placement?.kind !== "waiting" || gpusOf(active) > 0) return {};
  const { position, blockedOn } = placement;
  const because = placement.because.slice(0, MAX_BECAUSE_LENGTH);
  return { queue: { ...(position !== undefined && { position }), blockedOn, because } };
}

/** To the second: an estimate that moves by less is the same. */
function eta({ placement }: Observed, verdict: Verdict | undefined): Pick<OpalJobStatus, "eta"> {
  if (verdict || !placement?.eta) return {};
  const { finishP50Ms, finishP90Ms } = placement.eta;
  return { eta: { p50: toWholeSeconds(finishP50Ms), p90: toWholeSeconds(finishP90Ms) } };
}

/** Never less than what was stated before, and in tenths of a second. */
function usage(seen: Observed, now: Date): OpalJobStatus["usage"] {
  const used = usageOf(seen, now.getTime());
  const before = seen.job.status.usage;
  const tenths = (seconds: number, floor: number | undefined) =>
    Math.max(Math.round(seconds * 10) / 10, floor ?? 0);
  const gpuSeconds = tenths(used.gpuSeconds, before?.gpuSeconds);
  return {
    gpuSeconds,
    coldStartSeconds: tenths(used.coldStartSeconds, before?.coldStartSeconds),
    wastedGpuSeconds: tenths(used.wastedGpuSeconds, before?.wastedGpuSeconds),
    cost: Math.max(Math.round(used.cost * 1e6) / 1e6, before?.cost ?? 0),
  };
}

/** Messages of failed items are shortened, then left out, until the status fits. */
function bounded(status: OpalJobStatus): OpalJobStatus {
  for (const room of [200, 80, 30, 0]) {
    const shorter = {
      ...status,
      ...(status.failedItems && {
        failedItems: status.failedItems.map((item) => ({ ...item, message: item.message.slice(0, room) })),
      }),
    };
    const bytes = new TextEncoder().encode(JSON.stringify(shorter)).length;
    if (bytes <= MAX_STATUS_BYTES || room === 0) return shorter;
  }
  return status;
}

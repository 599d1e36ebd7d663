import { itemCount, type OpalJob } from "#crds/opaljob.ts";
import { isRetryable } from "#crds/failure.ts";
import { mayTryAgain, type PastFailure } from "./failures/remedy.ts";
import type { JobSight, ObservedChild, ObservedPod } from "./observed.ts";
import { cutShards } from "./shards.ts";
import { readShard, type ItemFailure, type ShardReading } from "./shard-reading.ts";

/** What has become of every item, added up over all attempts. */
export interface Assessment {
  readonly total: number;
  readonly done: ReadonlySet<number>;
  /** Items that failed and are not tried again, by index. */
  readonly failed: ReadonlyMap<number, ItemFailure>;
  /** Items that have not failed yet and that no live attempt holds, ascending. */
  readonly fresh: readonly number[];
  /** Items that failed and are to be tried again, ascending. */
  readonly again: readonly number[];
  /** Failures of every item that has had any, oldest first, one an attempt. */
  readonly history: ReadonlyMap<number, readonly PastFailure[]>;
  /** The newest child while any of its shards is not settled. */
  readonly active: ActiveChild | undefined;
  /** Number of the last attempt that is known of; 0 before the first. */
  readonly attempts: number;
  /** What the next attempt is to be called: its name is free. */
  readonly nextNumber: number;
  /** At least one item has a verdict: the runner works, so a crash is more likely an item's fault. */
  readonly hasVerdicts: boolean;
}

export interface ActiveChild {
  readonly child: ObservedChild;
  readonly openShards: number;
  readonly stages: { readonly segment: number; readonly place: number; readonly upscale: number };
}

interface Tally {
  readonly job: OpalJob;
  readonly done: Set<number>;
  readonly failed: Map<number, ItemFailure>;
  readonly history: Map<number, PastFailure[]>;
  /** Items that the newest attempt still holds. */
  readonly held: Set<number>;
}

/** @param retired the newest attempt has been given up: what it has not finished is free for the next one */
export function assess(
  { job, children, takenNumber = 0 }: Pick<JobSight, "job" | "children"> & { takenNumber?: number },
  { retired = false }: { retired?: boolean } = {},
): Assessment {
  const tally: Tally = {
    job,
    done: new Set(),
    failed: new Map(),
    history: new Map(),
    held: new Set(),
  };
  let active: ActiveChild | undefined;
  for (const child of children) {
    active = addChild(tally, child, !retired && child === children.at(-1));
  }
  const hasVerdicts =
    tally.done.size > 0 || [...tally.failed.keys()].some((index) => !lastFailure(tally, index)?.isExhausted);
  const attempts = Math.max(job.status.attempts ?? 0, children.at(-1)?.attempt ?? 0);
  return {
    total: itemCount(job.spec),
    done: tally.done,
    ...sortLeft(tally, hasVerdicts),
    history: tally.history,
    active,
    attempts,
    nextNumber: Math.max(attempts, takenNumber) + 1,
    hasVerdicts,
  };
}

/** Items that are neither done nor held by a live attempt: failed for good, or due for another attempt. */
function sortLeft(tally: Tally, hasVerdicts: boolean): Pick<Assessment, "failed" | "fresh" | "again"> {
  const failed = new Map<number, ItemFailure>();
  const fresh: number[] = [];
  const again: number[] = [];
  for (let index = 0; index < itemCount(tally.job.spec); index++) {
    if (tally.done.has(index) || tally.held.has(index)) continue;
    const failure = tally.failed.get(index);
    if (failure && !canRetry(tally, index, hasVerdicts)) failed.set(index, failure);
    else (failure ? again : fresh).push(index);
  }
  return { failed, fresh, again };
}

/**
 * A crashed shard has used up its tries at Kubernetes already. Its items are given another attempt only when
 * the runner is known to work, or when the place was to blame: then smaller shards set the others free.
 */
function canRetry({ job, history }: Tally, index: number, runnerWorks: boolean): boolean {
  const perItem = job.spec.retry?.perItem ?? DEFAULT_RETRIES_PER_ITEM;
  return mayTryAgain(history.get(index) ?? [], { perItem, runnerWorks });
}

function lastFailure({ history }: Tally, index: number): PastFailure | undefined {
  return history.get(index)?.at(-1);
}

const DEFAULT_RETRIES_PER_ITEM = 1;

function addChild(tally: Tally, child: ObservedChild, isNewest: boolean): ActiveChild | undefined {
  for (const index of child.doneBefore) tally.done.add(index);
  const podsOf = Map.groupBy(child.pods, (pod) => pod.shard);
  const stages = { segment: 0, place: 0, upscale: 0 };
  let openShards = 0;
  for (const [shard, items] of cutShards(child.items, child.shardSize).entries()) {
    const pods = podsOf.get(shard) ?? [];
    const reading = readShard(child, shard, pods);
    const isOpen = isNewest && !reading.isSettled && !isGivenUp(child);
    // Who is to blame for the crash of a shared shard is not known: each member goes on alone, at no cost.
    addShard(tally, items, child.shared ? { ...reading, rest: undefined } : reading, isOpen);
    if (!isOpen) continue;
    openShards++;
    addStages(stages, pods, reading.done.size);
  }
  return openShards > 0 ? { child, openShards, stages } : undefined;
}

function isGivenUp({ isDeleting, shared }: ObservedChild): boolean {
  return isDeleting || shared?.isRetired === true;
}

function addShard(tally: Tally, items: readonly number[], reading: ShardReading, isOpen: boolean): void {
  for (const index of items) {
    tally.failed.delete(index);
    const failure = reading.failed.get(index);
    if (reading.done.has(index)) tally.done.add(index);
    else if (failure && !(isOpen && isRetryable(failure.class))) addFailure(tally, index, failure, false);
    else if (isOpen) tally.held.add(index);
    else if (reading.rest) addFailure(tally, index, reading.rest, true);
  }
}

function addFailure(tally: Tally, index: number, failure: ItemFailure, isExhausted: boolean): void {
  tally.failed.set(index, failure);
  const { class: failureClass, nodeName } = failure;
  const history = tally.history.get(index) ?? [];
  tally.history.set(index, [...history, { class: failureClass, isExhausted, nodeName }]);
}

/** Stages of items that are not done yet; done ones have finished them all. */
function addStages(
  sum: { segment: number; place: number; upscale: number },
  pods: readonly ObservedPod[],
  done: number,
): void {
  for (const stage of ["segment", "place", "upscale"] as const) {
    const reported = pods.map((pod) => (pod.verdict ?? pod.progress)?.stages[stage] ?? 0);
    sum[stage] += Math.max(0, Math.max(0, ...reported) - done);
  }
}

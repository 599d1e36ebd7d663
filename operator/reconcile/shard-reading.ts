import type { FailureClass } from "#crds/failure.ts";
import { failureOf } from "./failures/classify.ts";
import type { PodFailure } from "./failures/evidence.ts";
import type { ObservedChild, ObservedPod } from "./observed.ts";
import { rangesOf } from "./turns.ts";

/** What the pods of one shard say about its items. Item numbers are indexes over the whole OpalJob. */
export interface ShardReading {
  /** No pod of this shard will run any more. */
  readonly isSettled: boolean;
  readonly done: ReadonlySet<number>;
  readonly failed: ReadonlyMap<number, ItemFailure>;
  /**
   * Why items without a verdict will not get one. Undefined while the shard is not settled, and when nothing
   * is known any more because its pods are gone: such items are simply unfinished.
   */
  readonly rest: ItemFailure | undefined;
}

export interface ItemFailure extends PodFailure {
  readonly id?: string;
  /** Of the pod that said so. */
  readonly nodeName?: string | undefined;
}

/** What can be said about an item as long as only the runner's progress, not its verdict, names it. */
const NOT_YET_KNOWN: { class: FailureClass; message: string } = { class: "unknown", message: "" };

export function readShard(child: ObservedChild, shard: number, pods: readonly ObservedPod[]): ShardReading {
  const done = new Set(pods.flatMap(itemsDone));
  const failed = new Map(pods.flatMap(itemsFailed));
  // Outputs are create-once: what one pod has done, no other can undo.
  for (const index of done) failed.delete(index);
  const isSettled =
    child.isEnded ||
    child.succeededShards.has(shard) ||
    child.failedShards.has(shard) ||
    pods.some((pod) => pod.phase === "Succeeded");
  const last = pods.findLast((pod) => pod.phase === "Succeeded" || pod.phase === "Failed");
  const rest = isSettled && last ? { ...failureOf(last), nodeName: last.nodeName } : undefined;
  return { isSettled, done, failed, rest };
}

function itemsDone({ verdict, progress }: ObservedPod): number[] {
  return [...rangesOf(progress?.done), ...rangesOf(verdict?.done)];
}

function itemsFailed({ verdict, progress, nodeName }: ObservedPod): [number, ItemFailure][] {
  const unexplained = rangesOf(progress?.failed).map((index): [number, ItemFailure] => [
    index,
    NOT_YET_KNOWN,
  ]);
  const explained = (verdict?.failed ?? []).map(({ index, ...failure }): [number, ItemFailure] => [
    index,
    { ...failure, nodeName },
  ]);
  return [...unexplained, ...explained];
}

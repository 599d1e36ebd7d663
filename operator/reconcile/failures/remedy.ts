import type { FailureClass } from "#crds/failure.ts";

/**
 * What follows from a class, on two levels. Kubernetes tries a shard again whose pod crashed, up to
 * `retry.infrastructure` times (podFailurePolicy, made from crds/exit-codes.ts); the operator tries an item again
 * in the next attempt, up to `retry.perItem` times, and changes what may have been to blame.
 */
export interface Remedy {
  /**
   * never: the same input gives the same end. item: costs one of the item's retries. free: nobody's fault, and
   * no retry is spent.
   */
  readonly retry: "never" | "item" | "free";
  /**
   * Where the fault lies when a whole shard fails. With `work`, another attempt needs a sign that the runner
   * works at all; with `place`, another place is worth trying anyway.
   */
  readonly blames: "work" | "place";
  /** What the next attempt does differently. */
  readonly change?: "smaller" | "other-node" | undefined;
}

const REMEDIES: Readonly<Record<FailureClass, Remedy>> = {
  "bad-input": { retry: "never", blames: "work" },
  "no-product": { retry: "never", blames: "work" },
  "missing-input": { retry: "never", blames: "work" },
  config: { retry: "never", blames: "work" },
  "out-of-memory": { retry: "item", blames: "work", change: "smaller" },
  model: { retry: "never", blames: "work" },
  quality: { retry: "item", blames: "work" },
  // The runner has tried other settings itself: only a person can help now.
  "needs-review": { retry: "never", blames: "work" },
  storage: { retry: "item", blames: "work" },
  node: { retry: "item", blames: "place", change: "other-node" },
  evicted: { retry: "free", blames: "place" },
  "stock-out": { retry: "free", blames: "place" },
  "image-pull": { retry: "item", blames: "place", change: "other-node" },
  quota: { retry: "never", blames: "place" },
  budget: { retry: "never", blames: "work" },
  unknown: { retry: "item", blames: "work" },
};

/** One failure of an item, in one attempt. */
export interface PastFailure {
  readonly class: FailureClass;
  /** The whole shard failed, and the item had no verdict of its own. */
  readonly isExhausted: boolean;
  /** Where it happened, if that is known. */
  readonly nodeName?: string | undefined;
}

/**
 * Whether an item is given another attempt.
 * @param history its failures, oldest first, one an attempt
 */
export function mayTryAgain(
  history: readonly PastFailure[],
  { perItem, runnerWorks }: { perItem: number; runnerWorks: boolean },
): boolean {
  const last = history.at(-1);
  if (!last) return true;
  const { retry, blames } = REMEDIES[last.class];
  if (retry === "never") return false;
  if (last.isExhausted && blames === "work" && !runnerWorks) return false;
  return history.filter(costsRetry).length <= perItem;
}

/** What a runner says of an item is about the item, whatever its class: else it might say it for ever. */
function costsRetry(failure: PastFailure): boolean {
  return !failure.isExhausted || REMEDIES[failure.class].retry !== "free";
}

/** How an attempt differs from the first one. Empty: not at all. */
export interface Changes {
  /** Side of a tile, as a part of the model's own: 1, 0.5 or 0.25. */
  readonly tileScale: number;
  /** Memory ran out with smaller tiles too: a GPU with more is worth its price. */
  readonly needsMoreVram: boolean;
  /** Names of nodes on which a pod failed, at most `MAX_AVOIDED_NODES`. */
  readonly avoidNodes: readonly string[];
}

export const NO_CHANGES: Changes = { tileScale: 1, needsMoreVram: false, avoidNodes: [] };

/** More would leave a small pool without any node. */
const MAX_AVOIDED_NODES = 4;
const SMALLEST_TILE_SCALE = 0.25;

/** What the next attempt of these items does differently, from all that has happened to them. */
export function changesFor(histories: readonly (readonly PastFailure[])[]): Changes {
  const failures = histories.flat();
  const timesTooLarge = Math.max(
    0,
    ...histories.map((history) => history.filter((one) => changeOf(one) === "smaller").length),
  );
  const avoided = failures.flatMap((one) =>
    changeOf(one) === "other-node" && one.nodeName !== undefined ? [one.nodeName] : [],
  );
  return {
    tileScale: Math.max(SMALLEST_TILE_SCALE, 0.5 ** timesTooLarge),
    needsMoreVram: timesTooLarge > 1,
    avoidNodes: [...new Set(avoided.reverse())].slice(0, MAX_AVOIDED_NODES).sort(),
  };
}

function changeOf(failure: PastFailure): Remedy["change"] {
  return REMEDIES[failure.class].change;
}

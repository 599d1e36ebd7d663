/**
 * The runner's exit codes. The Job's podFailurePolicy is made from this table, so the meaning of a code is
 * written once. Codes follow sysexits(3) where it has a word for the case.
 */
export const EXIT_CODES = {
  /** Every item of the shard has a verdict, good or bad. */
  done: 0,
  /** A fault of the runner itself: retried on the index's back-off. */
  internal: 70,
  /** The process ran out of memory and could not go on with a smaller tile. */
  outOfMemory: 71,
  /** A model is missing or was refused: no retry can help. */
  modelMissing: 72,
  /** Blob storage cannot be reached: retried. */
  storage: 74,
  /** SIGTERM: the running stage was flushed, items are left. Costs no retry. */
  drained: 75,
  /** The manifest or the settings are wrong: no retry can help. */
  config: 78,
} as const;

export type ExitReason = keyof typeof EXIT_CODES;

/** What the Job controller does with a pod that ended with this reason (Job `podFailurePolicy` actions). */
export const EXIT_ACTIONS: Record<Exclude<ExitReason, "done">, "Ignore" | "Count" | "FailIndex"> = {
  internal: "Count",
  outOfMemory: "Count",
  modelMissing: "FailIndex",
  storage: "Count",
  drained: "Ignore",
  config: "FailIndex",
};

import * as z from "zod";

/**
 * Why an item or a pod failed, in words that say who can mend it. The class decides whether a retry makes
 * sense; messages are for people and never branched on.
 */
export const FAILURE_CLASSES = [
  /** The picture cannot be read, is too large, too small, or of a kind we do not take. The tenant's to mend. */
  "bad-input",
  /** The picture shows no product that could be cut out. */
  "no-product",
  /** The upload was never made or its blob is gone. */
  "missing-input",
  /** The spec or the runner's settings are wrong. */
  "config",
  "out-of-memory",
  /** A model's file is missing, refused by its checksum, or does not load. */
  "model",
  /** The picture was made but is not good enough to deliver (the fidelity proof failed, say). */
  "quality",
  /** Other settings were tried too, and its score is still below the brand's: a person must look. Not billed. */
  "needs-review",
  "storage",
  "node",
  "evicted",
  "stock-out",
  "image-pull",
  "quota",
  "budget",
  "unknown",
] as const;

export const FailureClass = z.enum(FAILURE_CLASSES);
export type FailureClass = z.infer<typeof FailureClass>;

/** Classes that stay the same however often the item is tried with the same input. */
const FINAL: ReadonlySet<FailureClass> = new Set([
  "bad-input",
  "no-product",
  "missing-input",
  "config",
  "model",
  "needs-review",
  "quota",
  "budget",
]);

export function isRetryable(failure: FailureClass): boolean {
  return !FINAL.has(failure);
}

import { REASONS } from "#crds/conditions.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import { counted } from "../schedule/words.ts";
import type { Assessment } from "./assess.ts";
import type { Verdict } from "./decision.ts";

/** The job's end once every item is done or has failed for good; undefined before. */
export function verdictOf(job: OpalJob, assessment: Assessment): Verdict | undefined {
  const { total, done, failed, hasVerdicts } = assessment;
  if (done.size + failed.size < total) return undefined;
  if (failed.size === 0) {
    const message = total === 1 ? "The item is done." : `All ${total} items are done.`;
    return { type: "Complete", reason: REASONS.AllItemsDone, message };
  }
  const message = `${failed.size} of ${counted(total, "item")} failed${firstFailure(job, failed)}`;
  if (done.size > 0) return { type: "Complete", reason: REASONS.SomeItemsFailed, message };
  return {
    type: "Failed",
    reason: hasVerdicts ? REASONS.AllItemsFailed : REASONS.RetriesExhausted,
    message,
  };
}

function firstFailure(job: OpalJob, failed: Assessment["failed"]): string {
  const [first] = failed;
  if (!first) return ".";
  const [index, failure] = first;
  return `; the first, ${itemId(job, index, failure)}: ${failure.class}, ${failure.message}`;
}

/** With `itemsFrom` the ids are known from verdicts only; the index stands in for them. */
export function itemId({ spec }: OpalJob, index: number, failure: { id?: string }): string {
  return spec.items?.[index]?.id ?? failure.id ?? `#${index}`;
}

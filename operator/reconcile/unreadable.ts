/**
 * OpalJobs that this operator cannot read: made for a newer one, as a rule, whose CustomResourceDefinition is there
 * already. They are not failed, because another operator can do them: they wait, and their status says so.
 */
import { isFinished, type Phase, REASONS } from "#crds/conditions.ts";
import { type Condition, ObjectMeta } from "#crds/opaljob.ts";
import * as z from "zod";
import { isSame } from "./status-write.ts";

/** What can be read of it. */
export interface UnreadableOpalJob {
  readonly metadata: z.infer<typeof ObjectMeta>;
  /** As they are: they may be newer too. */
  readonly conditions: readonly z.infer<typeof RawCondition>[];
  /** What cannot be read, and why. */
  readonly problem: string;
}

const RawCondition = z.looseObject({ type: z.string(), status: z.string() });
const RawOpalJob = z.object({
  metadata: ObjectMeta,
  status: z.object({ conditions: z.array(RawCondition).default([]) }).prefault({}),
});

const MAX_LISTED_ISSUES = 3;
const MAX_MESSAGE_LENGTH = 256;

/** @throws {z.ZodError} when it is no object of the API server's */
export function unreadableOpalJob(raw: unknown, { issues }: z.ZodError): UnreadableOpalJob {
  const { metadata, status } = RawOpalJob.parse(raw);
  const listed = issues
    .slice(0, MAX_LISTED_ISSUES)
    .map(({ path, message }) => `${path.join(".")}: ${message}`);
  const more = issues.length > listed.length ? `; and ${issues.length - listed.length} more` : "";
  return { metadata, conditions: status.conditions, problem: `${listed.join("; ")}${more}` };
}

/** The patch of its status; undefined when that says it already, and for a finished job, whose status is its record. */
export function unreadableStatus(
  { metadata, conditions, problem }: UnreadableOpalJob,
  now: Date,
): Record<string, unknown> | undefined {
  if (isFinished(conditions)) return undefined;
  const before = conditions.find(({ type }) => type === "Queued");
  const fact = {
    type: "Queued",
    status: "False",
    reason: REASONS.InvalidSpec,
    message: `This operator cannot read it: ${problem}`.slice(0, MAX_MESSAGE_LENGTH),
    observedGeneration: metadata.generation,
  } satisfies Partial<Condition>;
  if (before && isSame({ ...before, ...fact }, before)) return undefined;
  const since = before?.status === "False" ? before["lastTransitionTime"] : undefined;
  const queued = { ...fact, lastTransitionTime: since ?? now.toISOString() };
  return {
    phase: "Invalid" satisfies Phase,
    observedGeneration: metadata.generation,
    conditions: [queued, ...conditions.filter(({ type }) => type !== "Queued")],
  };
}

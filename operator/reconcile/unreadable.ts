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
  /** As it is: it may be newer too. */
  readonly status: z.infer<typeof RawStatus>;
  /** What cannot be read, and why. */
  readonly problem: string;
}

const RawCondition = z.looseObject({ type: z.string(), status: z.string() });
const RawStatus = z.looseObject({ conditions: z.array(RawCondition).default([]) });
const RawOpalJob = z.object({ metadata: ObjectMeta, status: RawStatus.prefault({}) });

const MAX_LISTED_ISSUES = 3;
const MAX_MESSAGE_LENGTH = 256;

/** @throws {z.ZodError} when it is no object of the API server's */
export function unreadableOpalJob(raw: unknown, { issues }: z.ZodError): UnreadableOpalJob {
  const { metadata, status } = RawOpalJob.parse(raw);
  const listed = issues
    .slice(0, MAX_LISTED_ISSUES)
    .map(({ path, message }) => `${path.join(".")}: ${message}`);
  const more = issues.length > listed.length ? `; and ${issues.length - listed.length} more` : "";
  return { metadata, status, problem: `${listed.join("; ")}${more}` };
}

/** Its next status; undefined when that says it already, and for a finished job, whose status is its record. */
export function unreadableStatus(
  { metadata, status, problem }: UnreadableOpalJob,
  now: Date,
): Record<string, unknown> | undefined {
  const { conditions } = status;
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
    ...status,
    phase: "Invalid" satisfies Phase,
    observedGeneration: metadata.generation,
    conditions: [queued, ...conditions.filter(({ type }) => type !== "Queued")],
  };
}

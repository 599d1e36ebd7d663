import { parseRanges } from "#crds/item-ranges.ts";
import { ANNOTATIONS, LABELS } from "#crds/names.ts";
import * as z from "zod";
import { carriesManifest } from "../reconcile/desired-job.ts";
import { type Member, parseMembers } from "../reconcile/shared-child.ts";

/** A child Job as the caches keep it: the few facts that decisions need. */
export interface ChildJob {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly ownerUids: readonly string[];
  readonly opalJob: string;
  readonly attempt: number;
  readonly pool: string;
  readonly createdAtMs: number;
  readonly isSuspended: boolean;
  readonly tileScale: number;
  /** Its pod brings its manifest along: it needs no ConfigMap. */
  readonly carriesManifest: boolean;
  readonly items: readonly number[];
  readonly doneBefore: readonly number[];
  readonly shardSize: number;
  readonly parallelism: number;
  readonly isDeleting: boolean;
  readonly isEnded: boolean;
  readonly succeededShards: ReadonlySet<number>;
  readonly failedShards: ReadonlySet<number>;
  /** Present when several OpalJobs share it: its items are slots then. */
  readonly members?: readonly Member[] | undefined;
}

const RawJob = z.object({
  metadata: z.object({
    name: z.string(),
    namespace: z.string(),
    uid: z.string(),
    creationTimestamp: z.string(),
    deletionTimestamp: z.string().optional(),
    labels: z.object({
      [LABELS.job]: z.string(),
      [LABELS.attempt]: z.coerce.number().int().min(1),
      [LABELS.pool]: z.string(),
    }),
    annotations: z.object({
      [ANNOTATIONS.items]: z.string(),
      [ANNOTATIONS.shardSize]: z.coerce.number().int().min(1),
      [ANNOTATIONS.done]: z.string().default(""),
      [ANNOTATIONS.tileScale]: z.coerce.number().positive().default(1),
      [ANNOTATIONS.members]: z.string().optional(),
    }),
    ownerReferences: z.array(z.object({ uid: z.string() })).default([]),
  }),
  spec: z.object({
    parallelism: z.number().int().default(1),
    suspend: z.boolean().default(false),
    template: z
      .object({
        metadata: z.object({ annotations: z.record(z.string(), z.string()).default({}) }).prefault({}),
      })
      .prefault({}),
  }),
  status: z
    .object({
      completedIndexes: z.string().default(""),
      failedIndexes: z.string().default(""),
      conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]),
    })
    .prefault({}),
});

/** Names of the OpalJobs that it concerns. */
export function membersOf({ opalJob, members }: ChildJob): readonly string[] {
  return members ? members.map(({ name }) => name) : [opalJob];
}

/** Thousands of children share those of none, and of one item or shard: each set would take 200 bytes. */
const NO_INDEX: readonly number[] = [];
const FIRST_INDEX: readonly number[] = [0];
const SHARED_SETS: ReadonlyMap<readonly number[], ReadonlySet<number>> = new Map(
  [NO_INDEX, FIRST_INDEX].map((indexes) => [indexes, new Set(indexes)]),
);

function listOf(ranges: string): readonly number[] {
  if (ranges === "") return NO_INDEX;
  return ranges === "0" ? FIRST_INDEX : parseRanges(ranges);
}

function setOf(ranges: string): ReadonlySet<number> {
  const indexes = listOf(ranges);
  return SHARED_SETS.get(indexes) ?? new Set(indexes);
}

/** @throws {z.ZodError | RangeError} when it is not a Job made by this operator. */
export function parseChildJob(raw: unknown): ChildJob {
  const { metadata, spec, status } = RawJob.parse(raw);
  const members = metadata.annotations[ANNOTATIONS.members];
  return {
    uid: metadata.uid,
    name: metadata.name,
    namespace: metadata.namespace,
    ownerUids: metadata.ownerReferences.map((owner) => owner.uid),
    opalJob: metadata.labels[LABELS.job],
    attempt: metadata.labels[LABELS.attempt],
    pool: metadata.labels[LABELS.pool],
    createdAtMs: Date.parse(metadata.creationTimestamp),
    isSuspended: spec.suspend,
    tileScale: metadata.annotations[ANNOTATIONS.tileScale],
    carriesManifest: carriesManifest(spec.template.metadata.annotations),
    items: listOf(metadata.annotations[ANNOTATIONS.items]),
    doneBefore: listOf(metadata.annotations[ANNOTATIONS.done]),
    shardSize: metadata.annotations[ANNOTATIONS.shardSize],
    parallelism: spec.parallelism,
    isDeleting: metadata.deletionTimestamp !== undefined,
    isEnded: status.conditions.some(
      ({ type, status: is }) => (type === "Complete" || type === "Failed") && is === "True",
    ),
    succeededShards: setOf(status.completedIndexes),
    failedShards: setOf(status.failedIndexes),
    ...(members !== undefined && { members: parseMembers(members) }),
  };
}

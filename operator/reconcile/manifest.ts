import type { OpalJob } from "#crds/opaljob.ts";
import { formatRanges } from "#crds/item-ranges.ts";
import { ANNOTATIONS, childName, LABELS } from "#crds/names.ts";
import {
  CHILD_MANIFEST_KEY,
  type ChildManifest,
  manifestKey,
  type ShardManifest,
} from "#crds/runner-report.ts";
import { cutShards, type Shard } from "./shards.ts";

/** What an attempt holds: with the OpalJob it determines every shard's manifest. */
export interface Attempt {
  readonly number: number;
  readonly items: readonly number[];
  readonly shardSize: number;
  /** Side of a tile, as a part of the model's own: smaller after memory ran out. */
  readonly tileScale: number;
}

export function correlationIdOf({ metadata }: Pick<OpalJob, "metadata">): string {
  return metadata.annotations[ANNOTATIONS.correlationId] ?? metadata.uid;
}

export function shardManifest(
  job: OpalJob,
  attempt: Pick<Attempt, "number" | "tileScale">,
  shard: { number: number; items: Shard },
): ShardManifest {
  return { ...commonPart(job, attempt), shard: shard.number, ...itemsOf(job, shard.items) };
}

function childManifest(job: OpalJob, attempt: Attempt, shards: readonly Shard[]): ChildManifest {
  return { ...commonPart(job, attempt), shards: shards.map((items) => itemsOf(job, items)) };
}

/** What the manifests of all shards say. */
function commonPart({ metadata, spec }: OpalJob, attempt: Pick<Attempt, "number" | "tileScale">) {
  return {
    v: 1 as const,
    job: metadata.name,
    namespace: metadata.namespace,
    uid: metadata.uid,
    tenant: spec.tenant,
    attempt: attempt.number,
    correlationId: correlationIdOf({ metadata }),
    brand: spec.brand,
    stages: spec.stages,
    ...(attempt.tileScale !== 1 && { tileScale: attempt.tileScale }),
  };
}

function itemsOf({ spec }: OpalJob, shard: Shard): Pick<ShardManifest, "items" | "itemsFrom"> {
  if (spec.itemsFrom) {
    return { items: [], itemsFrom: { manifest: spec.itemsFrom.manifest, indexes: formatRanges(shard) } };
  }
  return {
    items: shard.flatMap((index) => {
      const item = spec.items?.[index];
      return item ? [{ ...item, index }] : [];
    }),
  };
}

/** Bytes of JSON: an object's annotations may take 256 KiB, and the pod's progress is one of them. */
const MAX_CARRIED_BYTES = 32 * 1024;
/** Of what every pod of a child has a copy of: with each change of a pod it is stored anew. */
const MAX_COPIED_BYTES = 8 * 1024;

/** Whether a pod can carry this manifest. */
export function isCarried(text: string): boolean {
  return bytesOf(text) <= MAX_CARRIED_BYTES;
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** What pods carry, and as which file they find it. */
export interface CarriedManifest {
  readonly file: string;
  readonly text: string;
}

/** An attempt's manifest, when it is small: its pods carry it, and no ConfigMap is written. */
export function carriedManifest(job: OpalJob, attempt: Attempt): CarriedManifest | undefined {
  const shards = cutShards(attempt.items, attempt.shardSize);
  const [items, ...others] = shards;
  if (!items) return undefined;
  if (others.length === 0) {
    const text = JSON.stringify(shardManifest(job, attempt, { number: 0, items }));
    return isCarried(text) ? { file: manifestKey(0), text } : undefined;
  }
  const text = JSON.stringify(childManifest(job, attempt, shards));
  return bytesOf(text) <= MAX_COPIED_BYTES ? { file: CHILD_MANIFEST_KEY, text } : undefined;
}

/** The ConfigMap with the attempt's manifests. Owned by the Job, so that it goes when the Job goes. */
export function desiredConfigMap(job: OpalJob, attempt: Attempt, owner: { name: string; uid: string }) {
  const shards = cutShards(attempt.items, attempt.shardSize);
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: {
      name: childName(job.metadata.name, attempt.number),
      namespace: job.metadata.namespace,
      labels: childLabels(job, attempt.number),
      ownerReferences: [{ apiVersion: "batch/v1", kind: "Job", name: owner.name, uid: owner.uid }],
    },
    immutable: true,
    data: Object.fromEntries(
      shards.map((items, number) => [
        manifestKey(number),
        JSON.stringify(shardManifest(job, attempt, { number, items })),
      ]),
    ),
  };
}
export type ConfigMapManifest = ReturnType<typeof desiredConfigMap>;

export function childLabels({ metadata, spec }: OpalJob, attempt: number): Record<string, string> {
  return {
    [LABELS.job]: metadata.name,
    [LABELS.attempt]: String(attempt),
    [LABELS.tenant]: spec.tenant,
  };
}

import type { OpalJob } from "#crds/opaljob.ts";
import { formatRanges } from "#crds/item-ranges.ts";
import { ANNOTATIONS, childName, LABELS } from "#crds/names.ts";
import { manifestKey, type ShardManifest } from "#crds/runner-report.ts";
import { cutShards, type Shard } from "./shards.ts";

/** What an attempt holds: with the OpalJob it determines every shard's manifest. */
export interface Attempt {
  readonly number: number;
  readonly items: readonly number[];
  readonly shardSize: number;
  /** Side of a tile, as a part of the model's own: smaller after memory ran out. */
  readonly tileScale: number;
}

export function correlationIdOf({ metadata }: OpalJob): string {
  return metadata.annotations[ANNOTATIONS.correlationId] ?? metadata.uid;
}

export function shardManifest(
  job: OpalJob,
  attempt: Pick<Attempt, "number" | "tileScale">,
  shard: { number: number; items: Shard },
): ShardManifest {
  const { metadata, spec } = job;
  return {
    v: 1,
    job: metadata.name,
    namespace: metadata.namespace,
    uid: metadata.uid,
    tenant: spec.tenant,
    attempt: attempt.number,
    shard: shard.number,
    correlationId: correlationIdOf(job),
    brand: spec.brand,
    stages: spec.stages,
    ...(attempt.tileScale !== 1 && { tileScale: attempt.tileScale }),
    ...itemsOf(job, shard.items),
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

/** Whether a pod can carry this manifest. */
export function isCarried(text: string): boolean {
  return new TextEncoder().encode(text).length <= MAX_CARRIED_BYTES;
}

/** The manifest of an attempt's only shard, when it is small: its pod carries it, and no ConfigMap is written. */
export function carriedManifest(job: OpalJob, attempt: Attempt): string | undefined {
  const [items, ...others] = cutShards(attempt.items, attempt.shardSize);
  if (!items || others.length > 0) return undefined;
  const text = JSON.stringify(shardManifest(job, attempt, { number: 0, items }));
  return isCarried(text) ? text : undefined;
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

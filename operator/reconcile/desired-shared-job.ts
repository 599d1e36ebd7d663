import type { OpalJob } from "#crds/opaljob.ts";
import { formatRanges } from "#crds/item-ranges.ts";
import { ANNOTATIONS, API_VERSION, memberLabel } from "#crds/names.ts";
import type { SharedManifest } from "#crds/runner-report.ts";
import type { SharedMembers } from "#crds/shared-child.ts";
import type { JobManifest } from "./desired-job.ts";
import { type Attempt, shardManifest } from "./manifest.ts";

/** A job with the attempt that it makes in the shared child. */
export interface Rider {
  readonly job: OpalJob;
  readonly attempt: Attempt;
  /** Items that are done already. */
  readonly done: ReadonlySet<number>;
}

/**
 * The child of several jobs: the leader's, owned by all of them and controlled by none, so that Kubernetes deletes
 * it with the last of them. Its one shard has an item for every slot.
 * @param alone what the leader's child would be
 * @param riders the leader first
 */
export function sharedJob(alone: JobManifest, riders: readonly Rider[]): JobManifest {
  const { metadata, spec } = alone;
  const { template } = spec;
  const { [ANNOTATIONS.done]: _, ...annotations } = metadata.annotations;
  const labels = Object.fromEntries(riders.map(({ job }) => [memberLabel(job.metadata.name), ""]));
  const slots = riders.reduce((sum, { attempt }) => sum + attempt.items.length, 0);
  return {
    ...alone,
    metadata: {
      ...metadata,
      labels: { ...metadata.labels, ...labels },
      annotations: {
        ...annotations,
        [ANNOTATIONS.items]: formatRanges(Array.from({ length: slots }, (_, slot) => slot)),
        [ANNOTATIONS.shardSize]: String(slots),
        [ANNOTATIONS.members]: JSON.stringify(membersOf(riders)),
      },
      ownerReferences: riders.map(({ job: { metadata: owner } }) => ({
        apiVersion: API_VERSION,
        kind: "OpalJob",
        name: owner.name,
        uid: owner.uid,
        controller: false,
      })),
    },
    spec: {
      ...spec,
      completions: 1,
      parallelism: 1,
      template: {
        ...template,
        metadata: {
          labels: { ...template.metadata.labels, ...labels },
          annotations: { ...template.metadata.annotations, [ANNOTATIONS.manifest]: sharedManifest(riders) },
        },
      },
    },
  };
}

function membersOf(riders: readonly Rider[]): SharedMembers {
  return riders.map(({ job: { metadata }, attempt, done }) => ({
    name: metadata.name,
    uid: metadata.uid,
    attempt: attempt.number,
    items: formatRanges(attempt.items),
    ...(done.size > 0 && { done: formatRanges(done) }),
  }));
}

/** The pod's manifest: a part of each rider, its items numbered as slots over all of them. */
export function sharedManifest(riders: readonly Rider[]): string {
  let slot = 0;
  const parts = riders.map(({ job, attempt }) => {
    const part = shardManifest(job, attempt, { number: 0, items: attempt.items });
    return { ...part, items: part.items.map((item) => ({ ...item, slot: slot++ })) };
  });
  return JSON.stringify({ v: 1, parts } satisfies SharedManifest);
}

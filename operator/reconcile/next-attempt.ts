import type { OpalJob } from "#crds/opaljob.ts";
import { formatRanges } from "#crds/item-ranges.ts";
import type { Assessment } from "./assess.ts";
import { changesFor, NO_CHANGES, type Changes } from "./failures/remedy.ts";
import { shardManifest, type Attempt } from "./manifest.ts";
import { cutShards, shardSizeFor } from "./shards.ts";

/** A ConfigMap may hold 1 MiB, an object's annotations 256 KiB: a larger job is done in several attempts. */
const MAX_MANIFEST_BYTES = 900_000;
const MAX_RANGES_LENGTH = 200_000;
/** So few items that are tried again get a shard each: if one of them kills its pod, it kills no other's. */
const ISOLATED_ITEMS = 24;

type Wish = Pick<Attempt, "items" | "shardSize">;

/** What the next attempt would hold: items that have not failed first, then those to be tried again, in smaller shards. */
function wish(job: OpalJob, { fresh, again }: Assessment, settings: { shardSize: number }): Wish {
  const maxGpus = job.spec.gpu?.maxGpus ?? 1;
  if (fresh.length > 0) {
    return { items: fresh, shardSize: shardSizeFor(fresh.length, { ...settings, maxGpus }) };
  }
  const smaller = again.length <= ISOLATED_ITEMS ? 1 : Math.ceil(settings.shardSize / 4);
  return { items: again, shardSize: shardSizeFor(again.length, { shardSize: smaller, maxGpus }) };
}

/** How many shards the next attempt could run at once: what the scheduler needs to know of it. */
export function nextShardCount(
  job: OpalJob,
  assessment: Assessment,
  settings: { shardSize: number },
): number {
  const { items, shardSize } = wish(job, assessment, settings);
  return Math.ceil(items.length / shardSize);
}

/** The next attempt, or undefined when no item needs one. */
export function nextAttempt(
  job: OpalJob,
  assessment: Assessment,
  settings: { shardSize: number },
): Attempt | undefined {
  const { items, shardSize } = wish(job, assessment, settings);
  if (items.length === 0) return undefined;
  const attempt = {
    number: assessment.nextNumber,
    shardSize,
    tileScale: nextChanges(assessment).tileScale,
  };
  return { ...attempt, items: fitting(job, { ...attempt, items }) };
}

/** What the next attempt does differently because of what happened to its items before. */
export function nextChanges({ fresh, again, history }: Assessment): Changes {
  if (fresh.length > 0) return NO_CHANGES;
  return changesFor(again.map((index) => history.get(index) ?? []));
}

/** As many of the attempt's shards, from the first on, as fit into one ConfigMap. */
function fitting(job: OpalJob, attempt: Attempt): number[] {
  const taken: number[] = [];
  let bytes = 0;
  let rangesLength = 0;
  for (const [number, items] of cutShards(attempt.items, attempt.shardSize).entries()) {
    const manifest = JSON.stringify(shardManifest(job, attempt, { number, items }));
    bytes += new TextEncoder().encode(manifest).length;
    rangesLength += formatRanges(items).length + 1;
    if (number > 0 && (bytes > MAX_MANIFEST_BYTES || rangesLength > MAX_RANGES_LENGTH)) break;
    taken.push(...items);
  }
  return taken;
}

/** OpalJobs as they come from the API server: each is in one of two stores, by whether this operator can read it. */
import { OpalJob } from "#crds/opaljob.ts";
import { unreadableOpalJob, type UnreadableOpalJob } from "../reconcile/unreadable.ts";
import type { ReflectorObserver, ReflectorTarget } from "../runtime/reflector.ts";
import { toEntry } from "../runtime/reflector.ts";
import type { Entry, Store } from "../runtime/store.ts";
import { withoutRecordIfEnded } from "./ended-job.ts";
import { withEqualPartsShared } from "./equal-parts.ts";

export interface OpalJobStores {
  readonly opalJobs: Store<OpalJob>;
  readonly unreadableOpalJobs: Store<UnreadableOpalJob>;
}

type ReadOpalJob = { readonly job: OpalJob } | { readonly unreadable: UnreadableOpalJob };

export function readOpalJob(raw: unknown): ReadOpalJob {
  const { success, data, error } = OpalJob.safeParse(raw);
  return success
    ? { job: withoutRecordIfEnded(withEqualPartsShared(data)) }
    : { unreadable: unreadableOpalJob(raw, error) };
}

/** Puts the API server's answer to a write into its store. */
export function noteOpalJob(stores: OpalJobStores, raw: unknown): void {
  const { readable, unreadable } = sorted(toEntry(raw, readOpalJob));
  if (readable) stores.opalJobs.written(readable);
  if (unreadable) stores.unreadableOpalJobs.written(unreadable);
}

/** Where the reflector puts them; the observer is told of each that cannot be read. */
export function opalJobTarget(
  { opalJobs, unreadableOpalJobs }: OpalJobStores,
  { skipped }: Pick<ReflectorObserver, "skipped">,
): ReflectorTarget<ReadOpalJob> {
  const tell = ({ key, value: { problem } }: Entry<UnreadableOpalJob>) => skipped({ key, error: problem });
  return {
    knows(key, resourceVersion) {
      const holders = [opalJobs, unreadableOpalJobs].filter((store) => store.get(key) !== undefined);
      // In both it stands when a write of ours has made it readable: the watch clears that up.
      return holders.length === 1 && holders.every((store) => store.knows(key, resourceVersion));
    },
    watched(entry) {
      const { readable, unreadable } = sorted(entry);
      const { key, resourceVersion } = entry;
      if (readable) opalJobs.watched(readable);
      else opalJobs.watchedDelete(key, resourceVersion);
      if (unreadable) unreadableOpalJobs.watched(unreadable);
      else unreadableOpalJobs.watchedDelete(key, resourceVersion);
      if (unreadable) tell(unreadable);
    },
    watchedDelete(key, resourceVersion) {
      opalJobs.watchedDelete(key, resourceVersion);
      unreadableOpalJobs.watchedDelete(key, resourceVersion);
    },
    advance(resourceVersion) {
      opalJobs.advance(resourceVersion);
      unreadableOpalJobs.advance(resourceVersion);
    },
    replace(entries, resourceVersion) {
      const all = entries.map(sorted);
      const unreadable = all.flatMap((entry) => entry.unreadable ?? []);
      opalJobs.replace(
        all.flatMap((entry) => entry.readable ?? []),
        resourceVersion,
      );
      unreadableOpalJobs.replace(unreadable, resourceVersion);
      for (const entry of unreadable) tell(entry);
    },
  };
}

function sorted({ value, ...entry }: Entry<ReadOpalJob>): {
  readonly readable?: Entry<OpalJob>;
  readonly unreadable?: Entry<UnreadableOpalJob>;
} {
  if ("job" in value) return { readable: { ...entry, value: value.job } };
  return { unreadable: { ...entry, value: value.unreadable } };
}

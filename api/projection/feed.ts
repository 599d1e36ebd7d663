/**
 * Keeps the latest OpalJobs at hand: lists, then watches, and lists again whenever the watch ends, in whatever
 * way, and at every resync. What is missed by one round is found by the next.
 */
import type { OpalJob } from "#crds/opaljob.ts";
import type { OpalJobs } from "../cluster/opaljobs.ts";
import type { JobAddress, ProjectionStore } from "../store/projection.ts";

export interface FeedDeps {
  readonly opalJobs: Pick<OpalJobs, "list" | "watch">;
  readonly store: Pick<ProjectionStore, "findAwaitingVerdicts">;
  readonly resyncSeconds: number;
  /** The OpalJob of this name is new or has changed, or may have. */
  readonly onChange: (name: string) => void;
  /** Postgres waits for verdicts of a job that is not in the list. */
  readonly onMissing: (address: JobAddress) => void;
}

export interface Feed {
  get(name: string): OpalJob | undefined;
  hasSynced(): boolean;
  /** One round: list, compare, then watch until the watch ends. */
  run(signal: AbortSignal): Promise<void>;
}

export function createFeed({ opalJobs, store, resyncSeconds, onChange, onMissing }: FeedDeps): Feed {
  let latest = new Map<string, OpalJob>();
  let synced = false;

  async function relist(): Promise<string> {
    // Read before the list: a job that is in processing by now has its OpalJob in the cluster by now.
    const awaiting = await store.findAwaitingVerdicts();
    const { jobs, resourceVersion } = await opalJobs.list();
    latest = new Map(jobs.map((job) => [job.metadata.name, job]));
    synced = true;
    for (const name of latest.keys()) onChange(name);
    for (const address of awaiting) if (!latest.has(address.jobId)) onMissing(address);
    return resourceVersion;
  }

  return {
    get: (name) => latest.get(name),
    hasSynced: () => synced,
    async run(signal) {
      const resourceVersion = await relist();
      await opalJobs.watch({
        resourceVersion,
        timeoutSeconds: resyncSeconds,
        signal,
        onEvent: (event) => {
          if (event.type === "gone") latest.delete(event.name);
          else {
            latest.set(event.job.metadata.name, event.job);
            onChange(event.job.metadata.name);
          }
        },
      });
    },
  };
}

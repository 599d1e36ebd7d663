/**
 * Brings one OpalJob's verdicts into Postgres. Level-triggered: it compares what the cluster and the reports
 * say with what Postgres knows, so it may run at any time, twice, or after any death, and does what is left.
 */
import { PROJECTION_FINALIZER } from "#crds/names.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import type { BlobStore } from "../azure/blob.ts";
import type { OpalJobs } from "../cluster/opaljobs.ts";
import type { JobAddress, OpenJob, ProjectionStore, Verdict } from "../store/projection.ts";
import { readReports } from "./reports.ts";
import { VANISHED, decidedCount, failed, isOver, isRunning, verdictOf } from "./verdict.ts";

export interface ProjectorDeps {
  readonly store: ProjectionStore;
  readonly blobs: Pick<BlobStore, "readText">;
  readonly opalJobs: Pick<OpalJobs, "removeFinalizer">;
}

/** What a pass did, for logs and metrics. */
export interface Projection {
  readonly address: JobAddress;
  readonly correlationId: string | undefined;
  readonly verdicts: readonly Verdict[];
  /** Everything is in Postgres and the OpalJob may go. */
  readonly released: boolean;
}

/** Verdicts of one transaction: small enough to keep the job's row locked for a moment only. */
const VERDICTS_AT_ONCE = 100;

/** @throws when a part is away or the OpalJob has changed meanwhile; the next pass does what is left. */
export async function project(opalJob: OpalJob, deps: ProjectorDeps): Promise<Projection | undefined> {
  const { metadata, spec } = opalJob;
  if (!metadata.finalizers.includes(PROJECTION_FINALIZER)) return undefined;
  const address = { tenantId: spec.tenant, jobId: metadata.name };
  const job = await deps.store.find(address);
  const verdicts = job ? await recordNews(opalJob, job, address, deps) : [];
  const released = isOver(opalJob);
  if (released) await deps.opalJobs.removeFinalizer(opalJob);
  return { address, correlationId: job?.correlationId, verdicts, released };
}

async function recordNews(
  opalJob: OpalJob,
  job: OpenJob,
  address: JobAddress,
  deps: ProjectorDeps,
): Promise<Verdict[]> {
  const verdicts = await findVerdicts(opalJob, job, address, deps);
  for (let at = 0; at < verdicts.length; at += VERDICTS_AT_ONCE) {
    await deps.store.record(address, verdicts.slice(at, at + VERDICTS_AT_ONCE));
  }
  const hasStarted = job.hasQueued && isRunning(opalJob);
  if (verdicts.length === 0 && hasStarted) await deps.store.markRunning(address);
  return verdicts;
}

async function findVerdicts(
  opalJob: OpalJob,
  job: OpenJob,
  address: JobAddress,
  { blobs }: ProjectorDeps,
): Promise<Verdict[]> {
  const over = isOver(opalJob);
  const known = job.submitted - job.open.length;
  const news = decidedCount(opalJob) - known;
  if (job.open.length === 0 || (!over && news <= 0)) return [];

  const { uid } = opalJob.metadata;
  const reports = await readReports(blobs, {
    tenant: address.tenantId,
    job: address.jobId,
    uid,
    items: job.open,
    wanted: over ? job.open.length : news,
  });
  const facts = { ...address, ...job, uid };
  return job.open.flatMap((itemId) => {
    const lookup = reports.get(itemId) ?? { absent: true };
    return verdictOf(itemId, lookup, opalJob, facts) ?? [];
  });
}

/** A job whose OpalJob was not in the list: when it is truly gone, the job's open items fail. */
export async function projectVanished(
  address: JobAddress,
  { store, opalJobs }: { readonly store: ProjectionStore; readonly opalJobs: Pick<OpalJobs, "has"> },
): Promise<Projection | undefined> {
  // The list shows only what is labelled and readable: too little to fail a paid job on.
  if (await opalJobs.has(address.jobId)) return undefined;
  const job = await store.find(address);
  if (job?.status !== "processing" || job.open.length === 0) return undefined;
  const verdicts = job.open.map((itemId) => failed(itemId, VANISHED));
  await store.record(address, verdicts);
  return { address, correlationId: job.correlationId, verdicts, released: false };
}

/** The OpalJob of a queued job. Pure: the same job always gives the same object, so a repeated create is a 409. */
import { ANNOTATIONS, LABELS } from "#crds/names.ts";
import type { NewOpalJob } from "../cluster/opaljobs.ts";
import type { QueuedJob } from "../store/intake.ts";

export interface OpalJobSettings {
  readonly maxGpusPerJob: number;
  readonly ttlSecondsAfterFinished: number;
}

export function opalJobFromJob(
  { tenantId, jobId }: { readonly tenantId: string; readonly jobId: string },
  job: QueuedJob,
  settings: OpalJobSettings,
): NewOpalJob {
  return {
    name: jobId,
    labels: { [LABELS.tenant]: tenantId },
    annotations: {
      [ANNOTATIONS.correlationId]: job.correlationId,
      ...(job.traceparent !== null && { [ANNOTATIONS.traceparent]: job.traceparent }),
    },
    spec: {
      tenant: tenantId,
      items: job.items.map(({ id, rawBlobPath, contentType }) => ({
        id,
        source: rawBlobPath,
        ...(contentType !== null && { contentType }),
      })),
      brand: job.brand,
      gpu: { maxGpus: Math.min(settings.maxGpusPerJob, job.items.length) },
      ttlSecondsAfterFinished: settings.ttlSecondsAfterFinished,
    },
  };
}

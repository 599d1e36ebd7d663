/** What the intake reads of a queued job, and the two marks that it leaves. */
import type { Brand } from "#crds/brand.ts";
import type { FailureClass } from "#crds/failure.ts";
import type { Sql } from "./database.ts";
import type { Status } from "./status.ts";

export interface QueuedJob {
  readonly status: Status;
  readonly brand: Brand;
  readonly correlationId: string;
  readonly traceparent: string | null;
  /** Those that were uploaded, in the order of the request. */
  readonly items: readonly QueuedItem[];
}

export interface QueuedItem {
  readonly id: string;
  readonly rawBlobPath: string;
  readonly contentType: string | null;
}

export interface IntakeStore {
  find(tenantId: string, jobId: string): Promise<QueuedJob | undefined>;
  /** The job's OpalJob exists. Harmless when the job is further on already. */
  markProcessing(tenantId: string, jobId: string): Promise<void>;
  /** No OpalJob can be made of the job: all that is left of it fails. */
  fail(
    tenantId: string,
    jobId: string,
    failure: { readonly class: FailureClass; readonly message: string },
  ): Promise<void>;
}

export function createIntakeStore(sql: Sql): IntakeStore {
  return {
    async find(tenantId, jobId) {
      const [job] = await sql<Omit<QueuedJob, "items">[]>`
        select status, brand, correlation_id as "correlationId", traceparent
          from opal.jobs where tenant_id = ${tenantId} and id = ${jobId}`;
      if (!job) return undefined;
      const items = await sql<QueuedItem[]>`
        select id, raw_blob_path as "rawBlobPath", content_type as "contentType" from opal.job_items
         where tenant_id = ${tenantId} and job_id = ${jobId} and status = 'queued' order by position`;
      return { ...job, items };
    },

    async markProcessing(tenantId, jobId) {
      await sql`
        update opal.jobs set status = 'processing'
         where tenant_id = ${tenantId} and id = ${jobId} and status = 'queued'`;
    },

    async fail(tenantId, jobId, failure) {
      await sql.begin(async (tx) => {
        await tx`select 1 from opal.jobs where tenant_id = ${tenantId} and id = ${jobId} for update`;
        await tx`
          update opal.job_items
             set status = 'failed', processing_completed_at = now(), failure_class = ${failure.class},
                 failure_message = ${failure.message}
           where tenant_id = ${tenantId} and job_id = ${jobId} and status = 'queued'`;
        await tx`select opal.settle_job(${tenantId}, ${jobId})`;
      });
    },
  };
}

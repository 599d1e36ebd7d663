/** Jobs as the HTTP api sees them: accepted once, read with their items, listed newest first. */
import type { Brand } from "#crds/brand.ts";
import type { FailureClass } from "#crds/failure.ts";
import { type Sql, type Transaction, jsonb } from "./database.ts";
import { findBrandProfile } from "./brand-profiles.ts";
import type { BrandProfile } from "../brand.ts";
import type { Status } from "./status.ts";

export interface NewJob {
  readonly tenantId: string;
  readonly id: string;
  readonly brandProfileId: string;
  readonly brand: Brand;
  readonly correlationId: string;
  readonly traceparent: string | undefined;
  readonly uploadWindowSeconds: number;
  readonly items: readonly { readonly id: string; readonly filename: string }[];
  readonly idempotency?: { readonly key: string; readonly requestHash: string } | undefined;
}

export interface JobSummary {
  readonly id: string;
  readonly brandProfileId: string;
  readonly status: Status;
  readonly correlationId: string;
  readonly createdAt: Date;
  readonly uploadDeadline: Date;
  readonly queuedAt: Date | null;
  readonly processingStartedAt: Date | null;
  readonly processingCompletedAt: Date | null;
  readonly itemCount: number;
  readonly completedCount: number;
  readonly failedCount: number;
}

export interface JobItem {
  readonly id: string;
  readonly filename: string;
  readonly status: Status;
  readonly contentType: string | null;
  readonly sizeBytes: number | null;
  readonly rawBlobPath: string | null;
  readonly bgRemovedBlobPath: string | null;
  readonly placedBlobPath: string | null;
  readonly upscaledBlobPath: string | null;
  readonly outputBlobPath: string | null;
  readonly failureClass: FailureClass | null;
  readonly failureMessage: string | null;
  readonly aiMetadata: Readonly<Record<string, unknown>>;
  readonly uploadedAt: Date | null;
  readonly processingStartedAt: Date | null;
  readonly processingCompletedAt: Date | null;
}

export interface JobDetail extends JobSummary {
  readonly items: readonly JobItem[];
}

/** `replayed`: this Idempotency-Key has made that job before. `mismatch`: for another request. */
export type Acceptance =
  | { readonly outcome: "created" }
  | { readonly outcome: "replayed"; readonly jobId: string }
  | { readonly outcome: "mismatch" };

export interface JobStore {
  findBrandProfile(tenantId: string, id: string): Promise<BrandProfile | undefined>;
  accept(job: NewJob): Promise<Acceptance>;
  find(tenantId: string, jobId: string): Promise<JobDetail | undefined>;
  /** Newest first, those before `before` in that order. */
  list(tenantId: string, page: ListPage): Promise<JobSummary[]>;
}

export interface ListPage {
  readonly limit: number;
  readonly before?: string | undefined;
  readonly status?: Status | undefined;
}

export function createJobStore(sql: Sql): JobStore {
  const summaries = (tenantId: string, condition: ReturnType<Sql>) => sql<JobSummary[]>`
    select j.id, j.brand_profile_id as "brandProfileId", j.status, j.correlation_id as "correlationId",
           j.created_at as "createdAt", j.upload_deadline as "uploadDeadline", j.queued_at as "queuedAt",
           j.processing_started_at as "processingStartedAt",
           j.processing_completed_at as "processingCompletedAt",
           counts.items as "itemCount", counts.completed as "completedCount", counts.failed as "failedCount"
      from opal.jobs j
      cross join lateral (
        select count(*)::int as items,
               count(*) filter (where i.status = 'completed')::int as completed,
               count(*) filter (where i.status = 'failed')::int as failed
          from opal.job_items i where i.tenant_id = ${tenantId} and i.job_id = j.id) counts
     where j.tenant_id = ${tenantId} ${condition}`;

  return {
    findBrandProfile: (tenantId, id) => findBrandProfile(sql, tenantId, id),

    accept: (job) => sql.begin((tx) => accept(tx, job)),

    async find(tenantId, jobId) {
      // One snapshot for both, or a job could be shown completed with an item still in processing.
      return sql.begin("isolation level repeatable read read only", async (tx) => {
        const [job] = await tx<JobSummary[]>`${summaries(tenantId, sql`and j.id = ${jobId}`)}`;
        if (!job) return undefined;
        return { ...job, items: await findItems(tx, tenantId, jobId) };
      });
    },

    async list(tenantId, { limit, before, status }) {
      return summaries(
        tenantId,
        sql`${before === undefined ? sql`` : sql`and j.id < ${before}`}
            ${status === undefined ? sql`` : sql`and j.status = ${status}`}
            order by j.id desc limit ${limit}`,
      );
    },
  };
}

async function accept(tx: Transaction, job: NewJob): Promise<Acceptance> {
  if (job.idempotency) {
    const earlier = await earlierAnswer(tx, job.tenantId, job.idempotency);
    if (earlier) return earlier;
  }
  await tx`
    insert into opal.jobs (tenant_id, id, brand_profile_id, brand, correlation_id, traceparent, upload_deadline)
    values (${job.tenantId}, ${job.id}, ${job.brandProfileId}, ${jsonb(tx, job.brand)}, ${job.correlationId},
            ${job.traceparent ?? null}, now() + make_interval(secs => ${job.uploadWindowSeconds}))`;
  const items = job.items.map(({ id, filename }, position) => ({
    tenant_id: job.tenantId,
    job_id: job.id,
    id,
    position,
    filename,
  }));
  await tx`insert into opal.job_items ${tx(items)}`;
  if (job.idempotency) {
    await tx`
      insert into opal.idempotency_keys (tenant_id, key, request_hash, job_id)
      values (${job.tenantId}, ${job.idempotency.key}, ${job.idempotency.requestHash}, ${job.id})`;
  }
  return { outcome: "created" };
}

/** Two requests with one key at once: the second waits here until the first has committed. */
async function earlierAnswer(
  tx: Transaction,
  tenantId: string,
  { key, requestHash }: { readonly key: string; readonly requestHash: string },
): Promise<Acceptance | undefined> {
  await tx`select pg_advisory_xact_lock(hashtextextended(${`${tenantId}/${key}`}, 0))`;
  const [earlier] = await tx<{ jobId: string; requestHash: string }[]>`
    select job_id as "jobId", request_hash as "requestHash" from opal.idempotency_keys
     where tenant_id = ${tenantId} and key = ${key}`;
  if (!earlier) return undefined;
  return earlier.requestHash === requestHash
    ? { outcome: "replayed", jobId: earlier.jobId }
    : { outcome: "mismatch" };
}

async function findItems(tx: Transaction, tenantId: string, jobId: string): Promise<JobItem[]> {
  return tx<JobItem[]>`
    select id, filename, status, content_type as "contentType", size_bytes::float8 as "sizeBytes",
           raw_blob_path as "rawBlobPath", bg_removed_blob_path as "bgRemovedBlobPath",
           placed_blob_path as "placedBlobPath", upscaled_blob_path as "upscaledBlobPath",
           output_blob_path as "outputBlobPath", failure_class as "failureClass",
           failure_message as "failureMessage", ai_metadata as "aiMetadata", uploaded_at as "uploadedAt",
           processing_started_at as "processingStartedAt", processing_completed_at as "processingCompletedAt"
      from opal.job_items where tenant_id = ${tenantId} and job_id = ${jobId} order by position`;
}

/**
 * Uploads: every item of a job waits for its own. When the last one is decided (made, refused or overdue),
 * the job is queued in the same transaction, with its message in the outbox.
 */
import type { FailureClass } from "#crds/failure.ts";
import { QUEUES } from "#crds/messages.ts";
import type { Sql, Transaction } from "./database.ts";
import { announce } from "./outbox.ts";
import type { Status } from "./status.ts";

export interface ItemAddress {
  readonly tenantId: string;
  readonly jobId: string;
  readonly itemId: string;
}

export interface UploadSlot {
  readonly filename: string;
  readonly status: Status;
  readonly failureClass: string | null;
  readonly failureMessage: string | null;
  readonly rawBlobPath: string | null;
  readonly sizeBytes: number | null;
  readonly uploadDeadline: Date;
}

export type SlotLookup =
  { readonly slot: UploadSlot } | { readonly missing: "job" } | { readonly missing: "item" };

export interface Upload {
  readonly blobPath: string;
  readonly bytes: number;
  readonly contentType: string | undefined;
}

export interface UploadRefusal {
  readonly class: FailureClass;
  readonly message: string;
  readonly bytes: number;
}

export interface UploadStore {
  find(address: ItemAddress): Promise<SlotLookup>;
  /** The item's picture is there. Harmless when it is known already. */
  accept(address: ItemAddress, upload: Upload): Promise<void>;
  /** The item's picture will not be taken: the item fails, the rest of the job goes on. */
  refuse(address: ItemAddress, refusal: UploadRefusal): Promise<void>;
  /** Fails items that were not uploaded in time, job by job. @returns how many jobs were dealt with. */
  expire(limit: number): Promise<number>;
}

export function createUploadStore(sql: Sql): UploadStore {
  return {
    find: (address) => findSlot(sql, address),

    async accept(address, upload) {
      const { tenantId, jobId, itemId } = address;
      await sql.begin(async (tx) => {
        await lockJob(tx, address);
        await tx`
          update opal.job_items
             set status = 'uploaded', uploaded_at = now(), raw_blob_path = ${upload.blobPath},
                 size_bytes = ${upload.bytes}, content_type = ${upload.contentType ?? null}
           where tenant_id = ${tenantId} and job_id = ${jobId} and id = ${itemId} and status = 'created'`;
        await queueWhenDecided(tx, address);
      });
    },

    async refuse(address, refusal) {
      const { tenantId, jobId, itemId } = address;
      await sql.begin(async (tx) => {
        await lockJob(tx, address);
        await tx`
          update opal.job_items
             set status = 'failed', processing_completed_at = now(), failure_class = ${refusal.class},
                 failure_message = ${refusal.message}, size_bytes = ${refusal.bytes}
           where tenant_id = ${tenantId} and job_id = ${jobId} and id = ${itemId} and status = 'created'`;
        await queueWhenDecided(tx, address);
      });
    },

    expire: (limit) => expireUploads(sql, limit),
  };
}

async function findSlot(sql: Sql, { tenantId, jobId, itemId }: ItemAddress): Promise<SlotLookup> {
  const [row] = await sql<(UploadSlot & { found: boolean })[]>`
    select i.id is not null as found, i.filename, i.status, i.failure_class as "failureClass",
           i.failure_message as "failureMessage", i.raw_blob_path as "rawBlobPath",
           i.size_bytes::float8 as "sizeBytes", j.upload_deadline as "uploadDeadline"
      from opal.jobs j
      left join opal.job_items i on i.tenant_id = ${tenantId} and i.job_id = j.id and i.id = ${itemId}
     where j.tenant_id = ${tenantId} and j.id = ${jobId}`;
  if (!row) return { missing: "job" };
  return row.found ? { slot: row } : { missing: "item" };
}

interface JobAddress {
  readonly tenantId: string;
  readonly jobId: string;
}

/** Everything that may end or queue a job takes this lock first, so two last items cannot miss each other. */
async function lockJob(tx: Transaction, { tenantId, jobId }: JobAddress): Promise<void> {
  await tx`select 1 from opal.jobs where tenant_id = ${tenantId} and id = ${jobId} for update`;
}

/** The caller holds the job's lock. */
async function queueWhenDecided(tx: Transaction, { tenantId, jobId }: JobAddress): Promise<void> {
  const [undecided] = await tx`
    select 1 from opal.job_items
     where tenant_id = ${tenantId} and job_id = ${jobId} and status = 'created' limit 1`;
  if (undecided) return;
  const [job] = await tx<{ correlationId: string; traceparent: string | null }[]>`
    update opal.jobs j set status = 'queued', queued_at = now()
     where j.tenant_id = ${tenantId} and j.id = ${jobId} and j.status = 'created'
       and exists (select 1 from opal.job_items i
                    where i.tenant_id = ${tenantId} and i.job_id = ${jobId} and i.status = 'uploaded')
    returning correlation_id as "correlationId", traceparent`;
  if (!job) {
    await tx`select opal.settle_job(${tenantId}, ${jobId})`;
    return;
  }
  await tx`
    update opal.job_items set status = 'queued'
     where tenant_id = ${tenantId} and job_id = ${jobId} and status = 'uploaded'`;
  await announce(tx, {
    queue: QUEUES.jobs,
    body: {
      v: 1,
      tenantId,
      jobId,
      correlationId: job.correlationId,
      ...(job.traceparent !== null && { traceparent: job.traceparent }),
    },
  });
}

async function expireUploads(sql: Sql, limit: number): Promise<number> {
  const overdue = await sql<JobAddress[]>`
    select tenant_id as "tenantId", id as "jobId" from opal.jobs
     where status = 'created' and upload_deadline < now() order by upload_deadline limit ${limit}`;
  for (const job of overdue) {
    await sql.begin(async (tx) => {
      await lockJob(tx, job);
      await tx`
        update opal.job_items
           set status = 'failed', processing_completed_at = now(), failure_class = 'missing-input',
               failure_message = 'The picture was not uploaded in time.'
         where tenant_id = ${job.tenantId} and job_id = ${job.jobId} and status = 'created'`;
      await queueWhenDecided(tx, job);
    });
  }
  return overdue.length;
}

/**
 * What the projector writes back into Postgres. Every update is guarded by the state that it leaves, so a
 * verdict counts once, however many projectors repeat it.
 */
import type { FailureClass } from "#crds/failure.ts";
import { type ExportMessage, QUEUES } from "#crds/messages.ts";
import type { Brand } from "#crds/brand.ts";
import { type Sql, type Transaction, jsonb } from "./database.ts";
import { announce } from "./outbox.ts";
import type { Status } from "./status.ts";

export interface JobAddress {
  readonly tenantId: string;
  readonly jobId: string;
}

export interface OpenJob {
  readonly status: Status;
  readonly brand: Brand;
  readonly correlationId: string;
  readonly traceparent: string | null;
  /** Items that were handed to the cluster. */
  readonly submitted: number;
  /** Ids of those that have no verdict yet, in the order of the request. */
  readonly open: readonly string[];
  /** Some item still shows as queued. */
  readonly hasQueued: boolean;
}

export interface BlobPaths {
  readonly bgRemoved: string | null;
  readonly placed: string | null;
  readonly upscaled: string | null;
}

export type Verdict =
  | {
      readonly outcome: "rendered";
      readonly itemId: string;
      readonly startedAt: Date | undefined;
      readonly paths: BlobPaths;
      readonly metadata: Readonly<Record<string, unknown>>;
      readonly message: ExportMessage;
    }
  | {
      readonly outcome: "failed";
      readonly itemId: string;
      readonly startedAt: Date | undefined;
      readonly class: FailureClass;
      readonly message: string;
      readonly metadata: Readonly<Record<string, unknown>>;
    };

export interface ProjectionStore {
  find(address: JobAddress): Promise<OpenJob | undefined>;
  /** The first sign of life: what is queued is in processing from now on. */
  markRunning(address: JobAddress): Promise<void>;
  /** All of them or none; those of items that have a verdict are passed over. */
  record(address: JobAddress, verdicts: readonly Verdict[]): Promise<void>;
  /** Jobs that the cluster has and that wait for verdicts. */
  findAwaitingVerdicts(): Promise<JobAddress[]>;
}

export function createProjectionStore(sql: Sql): ProjectionStore {
  return {
    find: (address) => findOpenJob(sql, address),

    async markRunning(address) {
      await sql.begin((tx) => markRunning(tx, address));
    },

    async record(address, verdicts) {
      await sql.begin(async (tx) => {
        await markRunning(tx, address);
        for (const verdict of verdicts) {
          if (verdict.outcome === "rendered") await recordRendered(tx, address, verdict);
          else await recordFailed(tx, address, verdict);
        }
        await tx`select opal.settle_job(${address.tenantId}, ${address.jobId})`;
      });
    },

    async findAwaitingVerdicts() {
      return sql<JobAddress[]>`
        select j.tenant_id as "tenantId", j.id as "jobId" from opal.jobs j
         where j.status = 'processing'
           and exists (select 1 from opal.job_items i
                        where i.tenant_id = j.tenant_id and i.job_id = j.id
                          and i.status in ('queued', 'processing') and i.rendered_at is null)`;
    },
  };
}

async function findOpenJob(sql: Sql, { tenantId, jobId }: JobAddress): Promise<OpenJob | undefined> {
  const [job] = await sql<OpenJob[]>`
    select j.status, j.brand, j.correlation_id as "correlationId", j.traceparent,
           (select count(*)::int from opal.job_items i
             where i.tenant_id = ${tenantId} and i.job_id = ${jobId} and i.raw_blob_path is not null)
             as "submitted",
           array(select i.id from opal.job_items i
                  where i.tenant_id = ${tenantId} and i.job_id = ${jobId}
                    and i.status in ('queued', 'processing') and i.rendered_at is null
                  order by i.position) as "open",
           exists (select 1 from opal.job_items i
                    where i.tenant_id = ${tenantId} and i.job_id = ${jobId} and i.status = 'queued')
             as "hasQueued"
      from opal.jobs j where j.tenant_id = ${tenantId} and j.id = ${jobId}`;
  return job;
}

/** Locks the job's row first, as everything does that may end a job. */
async function markRunning(tx: Transaction, { tenantId, jobId }: JobAddress): Promise<void> {
  await tx`select 1 from opal.jobs where tenant_id = ${tenantId} and id = ${jobId} for update`;
  await tx`
    update opal.jobs
       set status = 'processing', processing_started_at = coalesce(processing_started_at, now())
     where tenant_id = ${tenantId} and id = ${jobId}
       and (status = 'queued' or (status = 'processing' and processing_started_at is null))`;
  await tx`
    update opal.job_items
       set status = 'processing', processing_started_at = coalesce(processing_started_at, now())
     where tenant_id = ${tenantId} and job_id = ${jobId} and status = 'queued'`;
}

async function recordRendered(
  tx: Transaction,
  { tenantId, jobId }: JobAddress,
  verdict: Extract<Verdict, { outcome: "rendered" }>,
): Promise<void> {
  const updated = await tx`
    update opal.job_items
       set rendered_at = now(),
           processing_started_at = least(processing_started_at, ${verdict.startedAt ?? null}),
           bg_removed_blob_path = ${verdict.paths.bgRemoved},
           placed_blob_path = ${verdict.paths.placed},
           upscaled_blob_path = ${verdict.paths.upscaled},
           ai_metadata = ai_metadata || ${jsonb(tx, verdict.metadata)}
     where tenant_id = ${tenantId} and job_id = ${jobId} and id = ${verdict.itemId}
       and status = 'processing' and rendered_at is null`;
  if (updated.count === 0) return;
  await announce(tx, { queue: QUEUES.exports, body: verdict.message });
}

async function recordFailed(
  tx: Transaction,
  { tenantId, jobId }: JobAddress,
  verdict: Extract<Verdict, { outcome: "failed" }>,
): Promise<void> {
  await tx`
    update opal.job_items
       set status = 'failed', processing_completed_at = now(), failure_class = ${verdict.class},
           processing_started_at = least(processing_started_at, ${verdict.startedAt ?? null}),
           failure_message = ${verdict.message}, ai_metadata = ai_metadata || ${jsonb(tx, verdict.metadata)}
     where tenant_id = ${tenantId} and job_id = ${jobId} and id = ${verdict.itemId}
       and status = 'processing' and rendered_at is null`;
}

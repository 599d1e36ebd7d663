/** Deletes rows that have served their purpose. */
import type { Sql } from "./database.ts";

export interface Retention {
  /** Sent messages of finished jobs. */
  readonly outboxSeconds: number;
  /** Within this time a repeated Idempotency-Key gets the same job. */
  readonly idempotencyKeySeconds: number;
}

/** @returns how many rows were deleted. */
export async function pruneOldRows(
  sql: Sql,
  { outboxSeconds, idempotencyKeySeconds }: Retention,
): Promise<number> {
  const messages = await sql`
    delete from opal.outbox o where o.sent_at < now() - make_interval(secs => ${outboxSeconds})
      and exists (select 1 from opal.jobs j where j.tenant_id = o.tenant_id and j.id = o.job_id
                    and j.status in ('completed', 'failed'))`;
  const keys = await sql`
    delete from opal.idempotency_keys
     where created_at < now() - make_interval(secs => ${idempotencyKeySeconds})`;
  return messages.count + keys.count;
}

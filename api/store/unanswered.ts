/**
 * Messages that were sent but never answered by what they should have caused: their queue gave them up (dead
 * letter), or their consumer fails in a way of its own. They are sent again, so that nothing stays in `queued`
 * or `processing` for ever. A second delivery is harmless.
 */
import { QUEUES } from "#crds/messages.ts";
import type { Sql } from "./database.ts";
import { OUTBOX_CHANNEL } from "./outbox.ts";

export interface UnansweredSettings {
  /** A job that is still `queued` so long after its last sending is sent again, as often as it takes. */
  readonly jobSeconds: number;
  /** Exports that are not made so long after their last sending; above any backlog that the queue may have. */
  readonly exportSeconds: number;
  /** After so many sendings in vain the item fails. */
  readonly maxExportSends: number;
}

/** @returns how many messages were put back into the outbox. */
export async function resendUnanswered(sql: Sql, settings: UnansweredSettings): Promise<number> {
  return sql.begin(async (tx) => {
    const jobs = await tx`
      update opal.outbox o set sent_at = null
        from opal.jobs j
       where o.queue = ${QUEUES.jobs} and o.sent_at < now() - make_interval(secs => ${settings.jobSeconds})
         and j.tenant_id = o.tenant_id and j.id = o.job_id and j.status = 'queued'`;
    const exports = await tx`
      update opal.outbox o set sent_at = null
        from opal.job_items i
       where o.queue = ${QUEUES.exports}
         and o.sent_at < now() - make_interval(secs => ${settings.exportSeconds})
         and o.sends < ${settings.maxExportSends}
         and i.tenant_id = o.tenant_id and i.job_id = o.job_id and i.id = o.item_id
         and i.status = 'processing'`;
    const resent = jobs.count + exports.count;
    if (resent > 0) await tx`select pg_notify(${OUTBOX_CHANNEL}, '')`;
    return resent;
  });
}

/** Fails items whose exports were asked for in vain too often. @returns how many. */
export async function giveUpUnanswered(
  sql: Sql,
  { exportSeconds, maxExportSends }: UnansweredSettings,
): Promise<number> {
  const [row] = await sql<{ failed: number }[]>`
    select count(*) filter (where opal.item_export_failed(
             o.tenant_id, o.job_id, o.item_id, 'unknown', 'The exports could not be made.'))::int as failed
      from opal.outbox o
      join opal.job_items i on i.tenant_id = o.tenant_id and i.job_id = o.job_id and i.id = o.item_id
     where o.queue = ${QUEUES.exports} and o.sent_at < now() - make_interval(secs => ${exportSeconds})
       and o.sends >= ${maxExportSends} and i.status = 'processing'`;
  return row?.failed ?? 0;
}

/**
 * Messages that were sent but never answered by what they should have caused: their queue gave them up (dead
 * letter), or their consumer died in a new way. They are sent again, and after some times given a verdict, so
 * that nothing stays in `queued` or `processing` for ever.
 */
import { QUEUES } from "#crds/messages.ts";
import type { Sql } from "./database.ts";

export interface UnansweredSettings {
  /** So long after the last sending. Above the queues' duplicate detection window. */
  readonly afterSeconds: number;
  readonly maxSends: number;
}

/** @returns how many messages were put back into the outbox. */
export async function resendUnanswered(
  sql: Sql,
  { afterSeconds, maxSends }: UnansweredSettings,
): Promise<number> {
  // A job is sent for ever: the cluster may be away for long, and its OpalJob costs nothing until it is back.
  const resent = await sql.begin(async (tx) => {
    const again = await tx`
      update opal.outbox o set sent_at = null
        from opal.jobs j
       where o.queue = ${QUEUES.jobs} and o.sent_at < now() - make_interval(secs => ${afterSeconds})
         and j.tenant_id = o.tenant_id and j.id = o.job_id and j.status = 'queued'`;
    const exports = await tx`
      update opal.outbox o set sent_at = null
        from opal.job_items i
       where o.queue = ${QUEUES.exports} and o.sent_at < now() - make_interval(secs => ${afterSeconds})
         and o.sends < ${maxSends}
         and i.tenant_id = o.tenant_id and i.job_id = o.job_id and i.id = o.item_id
         and i.status = 'processing'`;
    const count = again.count + exports.count;
    if (count > 0) await tx`select pg_notify('opal_outbox', '')`;
    return count;
  });
  return resent;
}

/** Fails items whose exports were asked for `maxSends` times in vain. @returns how many. */
export async function giveUpUnanswered(
  sql: Sql,
  { afterSeconds, maxSends }: UnansweredSettings,
): Promise<number> {
  const [row] = await sql<{ failed: number }[]>`
    select count(*) filter (where opal.item_export_failed(
             o.tenant_id, o.job_id, o.item_id, 'unknown', 'The exports could not be made.'))::int as failed
      from opal.outbox o
      join opal.job_items i on i.tenant_id = o.tenant_id and i.job_id = o.job_id and i.id = o.item_id
     where o.queue = ${QUEUES.exports} and o.sent_at < now() - make_interval(secs => ${afterSeconds})
       and o.sends >= ${maxSends} and i.status = 'processing'`;
  return row?.failed ?? 0;
}

/**
 * The outbox: a message is written in the transaction that makes it true, and the relay sends it. A message
 * about the same thing exists once, whoever writes it again.
 */
import { type ExportMessage, type JobMessage, QUEUES } from "#crds/messages.ts";
import { type Sql, type Transaction, jsonb } from "./database.ts";

export type Announcement =
  | { readonly queue: typeof QUEUES.jobs; readonly body: JobMessage }
  | { readonly queue: typeof QUEUES.exports; readonly body: ExportMessage };

export async function announce(tx: Transaction, { queue, body }: Announcement): Promise<void> {
  const itemId = "itemId" in body ? body.itemId : "";
  await tx`
    insert into opal.outbox (queue, tenant_id, job_id, item_id, body)
    values (${queue}, ${body.tenantId}, ${body.jobId}, ${itemId}, ${jsonb(tx, body)})
    on conflict (queue, tenant_id, job_id, item_id) do nothing`;
}

export interface OutboxRow {
  /** The row's id; with the number of the sending from the second one on, or the queue would drop it. */
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
}

/** Postgres channel on which every insert into the outbox is announced. */
export const OUTBOX_CHANNEL = "opal_outbox";

export interface OutboxBatch {
  readonly queue: string;
  readonly limit: number;
  readonly send: (rows: readonly OutboxRow[]) => Promise<void>;
}

export interface Outbox {
  /**
   * Hands the oldest unsent messages of a queue to `send` and marks them sent when it succeeds. Rows that another relay
   * holds are passed over. When `send` fails nothing is marked: a message may be sent twice, never lost.
   * @returns how many were sent; 0 means that none is left.
   */
  sendBatch(batch: OutboxBatch): Promise<number>;
  countUnsent(): Promise<number>;
  /** Calls `wake` at every new message, and whenever the connection was lost and is back. */
  onNew(wake: () => void): Promise<{ close(): Promise<void> }>;
}

export function createOutbox(sql: Sql): Outbox {
  return {
    async sendBatch({ queue, limit, send }) {
      return sql.begin(async (tx) => {
        const rows = await tx<(OutboxRow & { rowId: string })[]>`
          select id as "rowId", body,
                 case when sends = 0 then id::text else id::text || '.' || sends end as id
            from opal.outbox where queue = ${queue} and sent_at is null
           order by seq limit ${limit} for update skip locked`;
        if (rows.length === 0) return 0;
        await send(rows);
        await tx`
          update opal.outbox set sent_at = now(), sends = sends + 1
          where id = any(${rows.map(({ rowId }) => rowId)}::uuid[])`;
        return rows.length;
      });
    },

    async countUnsent() {
      const [row] = await sql<{ unsent: number }[]>`
        select count(*)::int as unsent from opal.outbox where sent_at is null`;
      return row?.unsent ?? 0;
    },

    async onNew(wake) {
      const subscription = await sql.listen(OUTBOX_CHANNEL, wake, wake);
      return { close: () => subscription.unlisten() };
    },
  };
}

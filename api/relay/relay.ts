/**
 * The relay carries messages from the outbox to the bus and, now and then, sweeps up what time has decided:
 * uploads that never came, messages that were never answered, old rows. Any number of relays may run.
 */
import type { MessageBus } from "../azure/bus.ts";
import type { Outbox, OutboxRow } from "../store/outbox.ts";

const BATCH = 100;

/** Sends until the outbox is empty. @returns how many messages went to each queue. */
export async function drainOutbox(
  outbox: Pick<Outbox, "sendBatch">,
  bus: Pick<MessageBus, "send">,
  signal: AbortSignal,
): Promise<ReadonlyMap<string, number>> {
  const sent = new Map<string, number>();
  while (!signal.aborted) {
    const count = await outbox.sendBatch(BATCH, async (rows) => {
      for (const [queue, own] of byQueue(rows)) {
        await bus.send(queue, own);
        sent.set(queue, (sent.get(queue) ?? 0) + own.length);
      }
    });
    if (count < BATCH) break;
  }
  return sent;
}

function byQueue(rows: readonly OutboxRow[]): Map<string, OutboxRow[]> {
  const queues = new Map<string, OutboxRow[]>();
  for (const row of rows) {
    const own = queues.get(row.queue) ?? [];
    own.push(row);
    queues.set(row.queue, own);
  }
  return queues;
}

/**
 * The relay carries messages from the outbox to the bus and, now and then, sweeps up what time has decided:
 * uploads that never came, messages that were never answered, old rows. Any number of relays may run.
 */
import type { MessageBus } from "../azure/bus.ts";
import type { Outbox } from "../store/outbox.ts";

const BATCH = 100;

/**
 * Sends until the queue's part of the outbox is empty. Queues are drained apart: one that is away does not
 * hold up the other. @returns how many messages were sent.
 */
export async function drainOutbox(
  queue: string,
  { outbox, bus }: { readonly outbox: Pick<Outbox, "sendBatch">; readonly bus: Pick<MessageBus, "send"> },
  signal: AbortSignal,
): Promise<number> {
  let sent = 0;
  while (!signal.aborted) {
    const count = await outbox.sendBatch({ queue, limit: BATCH, send: (rows) => bus.send(queue, rows) });
    sent += count;
    if (count < BATCH) break;
  }
  return sent;
}

import type { StoredMessage, Subqueue } from "./message.ts";
import type { QueueState } from "./queue-state.ts";

export interface Counts {
  /** All in the queue proper that are not scheduled: locked and deferred ones count, as in Azure. */
  readonly active: number;
  readonly scheduled: number;
  readonly deadLettered: number;
}

export function countsOf({ messages }: QueueState): Counts {
  const all = [...messages.values()];
  const scheduled = all.filter(({ phase }) => phase === "scheduled").length;
  const deadLettered = all.filter(({ subqueue }) => subqueue === "dead").length;
  return { active: all.length - scheduled - deadLettered, scheduled, deadLettered };
}

export function sizeBytesOf({ messages }: QueueState): number {
  let bytes = 0;
  for (const { amqp } of messages.values()) bytes += amqp.length;
  return bytes;
}

export interface PeekRequest {
  readonly subqueue: Subqueue;
  readonly fromSequence: number;
  readonly limit: number;
  readonly sessionId?: string | undefined;
}

/** Messages in the order of their sequence numbers, whatever their state; nothing is locked. */
export function peek({ messages }: QueueState, request: PeekRequest): StoredMessage[] {
  const { fromSequence, limit, sessionId, subqueue } = request;
  const found: StoredMessage[] = [];
  for (const message of messages.values()) {
    if (found.length >= limit) break;
    const isWanted = message.subqueue === subqueue && message.sequence >= fromSequence;
    if (isWanted && (sessionId === undefined || message.sessionId === sessionId)) found.push(message);
  }
  return found;
}

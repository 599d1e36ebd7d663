import type { StoredMessage } from "./message.ts";
import type { QueueSettings } from "./settings.ts";

export interface NewMessage {
  readonly messageId: string;
  readonly sessionId?: string | undefined;
  /** Milliseconds since 1970; what is not in the future means "now". */
  readonly scheduledFor?: number | undefined;
  readonly timeToLiveMilliseconds?: number | undefined;
  readonly amqp: Buffer;
}

/** A message as the queue keeps it from the moment in which it was sent. */
export function firstState(
  message: NewMessage,
  sequence: number,
  settings: QueueSettings,
  now: number,
): StoredMessage {
  const { scheduledFor = 0, sessionId, timeToLiveMilliseconds = Infinity, ...rest } = message;
  const isScheduled = scheduledFor > now;
  const longestLife = (settings.defaultTimeToLiveSeconds ?? Infinity) * 1000;
  const timeToLive = Math.min(timeToLiveMilliseconds, longestLife);
  return {
    ...rest,
    sequence,
    subqueue: "main",
    phase: isScheduled ? "scheduled" : "ready",
    deliveryCount: 0,
    enqueuedAt: now,
    ...(sessionId !== undefined && { sessionId }),
    ...(isScheduled && { scheduledFor }),
    ...(timeToLive !== Infinity && { timeToLiveMilliseconds: timeToLive }),
  };
}

/** AMQP messages to what a queue stores, and back with what the broker has to say about them. */
import { randomUUID } from "node:crypto";
import type { StoredMessage } from "../queue/message.ts";
import type { NewMessage } from "../queue/new-message.ts";
import { amqpMessage, amqpTypes } from "./rhea.ts";

/** A transfer of this format carries many messages, each encoded in one data section. */
export const BATCH_FORMAT = 0x80013700;

const SCHEDULED = "x-opt-scheduled-enqueue-time";

/** @param encoded one AMQP message */
export function decodeNewMessage(encoded: Buffer): NewMessage {
  const message = amqpMessage.decode(encoded);
  const hasId = message["message_id"] !== undefined && message["message_id"] !== null;
  // Azure's SDK cannot renew the lock of a message without an id.
  if (!hasId) message["message_id"] = randomUUID().replaceAll("-", "");
  return {
    messageId: String(message["message_id"]),
    sessionId: stringOf(message["group_id"]),
    scheduledFor: timeOf(message["message_annotations"]?.[SCHEDULED]),
    timeToLiveMilliseconds: numberOf(message["ttl"]),
    amqp: hasId ? encoded : amqpMessage.encode(message),
  };
}

/** The messages of a batch, each still encoded. */
export function splitBatch(encoded: Buffer): Buffer[] {
  const body: unknown = amqpMessage.decode(encoded)["body"];
  const content: unknown =
    typeof body === "object" && body !== null ? Reflect.get(body, "content") : undefined;
  const parts: unknown[] = Array.isArray(content) ? content : [content];
  return parts.filter((part) => Buffer.isBuffer(part));
}

/** A stored message as a receiver gets it. */
export function encodeForReceiver(stored: StoredMessage, queueName: string): Buffer {
  const message = amqpMessage.decode(stored.amqp);
  message["delivery_count"] = stored.deliveryCount;
  message["message_annotations"] = { ...message["message_annotations"], ...annotations(stored, queueName) };
  if (stored.deadLetter !== undefined) {
    const { reason, description } = stored.deadLetter;
    message["application_properties"] = {
      ...message["application_properties"],
      ...(reason !== undefined && { DeadLetterReason: reason }),
      ...(description !== undefined && { DeadLetterErrorDescription: description }),
    };
  }
  return amqpMessage.encode(message);
}

/** A message whose application properties a receiver has changed. Undefined when it changed none. */
export function withProperties(amqp: Buffer, properties: unknown): Buffer | undefined {
  if (typeof properties !== "object" || properties === null) return undefined;
  if (Object.keys(properties).length === 0) return undefined;
  const message = amqpMessage.decode(amqp);
  message["application_properties"] = { ...message["application_properties"], ...properties };
  return amqpMessage.encode(message);
}

const STATES = { ready: 0, deferred: 1, scheduled: 2 } as const;

function annotations(stored: StoredMessage, queueName: string): Record<string, unknown> {
  const { enqueuedAt, lock, phase, scheduledFor, sequence, subqueue } = stored;
  return {
    "x-opt-sequence-number": amqpTypes.wrap_long(sequence),
    "x-opt-enqueue-sequence-number": amqpTypes.wrap_long(sequence),
    "x-opt-enqueued-time": amqpTypes.wrap_timestamp(enqueuedAt),
    "x-opt-message-state": amqpTypes.wrap_int(STATES[phase]),
    ...(lock?.until !== undefined && { "x-opt-locked-until": amqpTypes.wrap_timestamp(lock.until) }),
    ...(scheduledFor !== undefined && { [SCHEDULED]: amqpTypes.wrap_timestamp(scheduledFor) }),
    ...(subqueue === "dead" && { "x-opt-deadletter-source": queueName }),
  };
}

function stringOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

function numberOf(value: unknown): number | undefined {
  return typeof value === "number" && value > 0 ? value : undefined;
}

function timeOf(value: unknown): number | undefined {
  if (value instanceof Date) return value.getTime();
  return typeof value === "number" ? value : undefined;
}

import { describe, expect, test } from "vitest";
import type { StoredMessage } from "../queue/message.ts";
import { uuidFromBytes, uuidToBytes, uuidToDeliveryTag } from "./lock-token.ts";
import { decodeNewMessage, encodeForReceiver, splitBatch, withProperties } from "./message-codec.ts";
import { amqpMessage } from "./rhea.ts";

const body = amqpMessage.data_section(Buffer.from("{}"));

function stored(amqp: Buffer, more: Partial<StoredMessage> = {}): StoredMessage {
  return {
    sequence: 7,
    messageId: "m",
    subqueue: "main",
    phase: "ready",
    deliveryCount: 2,
    enqueuedAt: 1_000,
    amqp,
    ...more,
  };
}

describe("a new message", () => {
  test("tells the queue what it has to know, and stays as it was sent", () => {
    const encoded = amqpMessage.encode({
      body,
      message_id: "m",
      group_id: "s",
      ttl: 5_000,
      message_annotations: { "x-opt-scheduled-enqueue-time": new Date(9_000) },
    });
    expect(decodeNewMessage(encoded)).toEqual({
      messageId: "m",
      sessionId: "s",
      scheduledFor: 9_000,
      timeToLiveMilliseconds: 5_000,
      amqp: encoded,
    });
  });

  test("without an id gets one", () => {
    const { amqp, messageId } = decodeNewMessage(amqpMessage.encode({ body }));
    expect(messageId).toMatch(/^[0-9a-f]{32}$/);
    expect(amqpMessage.decode(amqp)["message_id"]).toBe(messageId);
  });

  test.each([1, 3])("is found in a batch of %d", (count) => {
    const parts = Array.from({ length: count }, (_, index) =>
      amqpMessage.encode({ body, message_id: String(index) }),
    );
    expect(splitBatch(amqpMessage.encode({ body: amqpMessage.data_sections(parts) }))).toEqual(parts);
  });
});

describe("a stored message", () => {
  const encoded = amqpMessage.encode({ body, application_properties: { kept: 1 } });

  test("gets the broker's annotations", () => {
    const lock = { token: "6f1f1b3e-0000-4000-8000-000000000000", until: 31_000 };
    const received = amqpMessage.decode(encodeForReceiver(stored(encoded, { lock }), "jobs"));
    expect(received["delivery_count"]).toBe(2);
    expect(received["message_annotations"]).toEqual({
      "x-opt-sequence-number": 7,
      "x-opt-enqueue-sequence-number": 7,
      "x-opt-enqueued-time": new Date(1_000),
      "x-opt-locked-until": new Date(31_000),
      "x-opt-message-state": 0,
    });
    expect(received["body"].content).toEqual(Buffer.from("{}"));
  });

  test("says why it was dead-lettered, and from where", () => {
    const dead = { subqueue: "dead", deadLetter: { reason: "Bad", description: "very" } } as const;
    const received = amqpMessage.decode(encodeForReceiver(stored(encoded, dead), "jobs"));
    expect(received["application_properties"]).toEqual({
      kept: 1,
      DeadLetterReason: "Bad",
      DeadLetterErrorDescription: "very",
    });
    expect(received["message_annotations"]["x-opt-deadletter-source"]).toBe("jobs");
  });

  test("takes changed properties, and is left alone without any", () => {
    const changed = withProperties(encoded, { more: 2 });
    expect(amqpMessage.decode(changed ?? encoded)["application_properties"]).toEqual({ kept: 1, more: 2 });
    expect(withProperties(encoded, {})).toBeUndefined();
    expect(withProperties(encoded, undefined)).toBeUndefined();
  });
});

describe("a lock token", () => {
  const token = "00112233-4455-6677-8899-aabbccddeeff";

  test("travels in plain order in requests", () => {
    expect(uuidToBytes(token).toString("hex")).toBe("00112233445566778899aabbccddeeff");
    expect(uuidFromBytes(uuidToBytes(token))).toBe(token);
  });

  test("travels in the order of a .NET Guid as a delivery tag", () => {
    expect(uuidToDeliveryTag(token).toString("hex")).toBe("33221100554477668899aabbccddeeff");
  });
});

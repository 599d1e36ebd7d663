import { randomUUID } from "node:crypto";
import { ServiceBusClient } from "@azure/service-bus";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { QUEUES } from "#crds/messages.ts";
import { type TestBus, eventually, startBus } from "../testing.ts";
import { type IncomingMessage, type MessageBus, type Settlement, openBus } from "./bus.ts";

/** The port's promises, kept by the real client. */

let broker: TestBus;
let bus: MessageBus;
let client: ServiceBusClient;
const queue = QUEUES.jobs;

beforeAll(async () => {
  broker = await startBus();
  client = new ServiceBusClient(broker.connectionString);
});
afterAll(async () => {
  await client?.close();
  await broker?.stop();
});
beforeEach(async () => {
  bus = await openBus({ connectionString: broker.connectionString });
});
afterEach(() => bus.close());

const noTrouble = { queue, concurrency: 4, onError: (error: unknown) => expect.unreachable(String(error)) };
const aMessage = (more: Record<string, unknown> = {}) => ({
  id: randomUUID(),
  body: { v: 1, note: randomUUID(), ...more },
});

/** Settles as told, and notes what came in. */
function receive(settle: (message: IncomingMessage, times: number) => Promise<Settlement>) {
  const seen: IncomingMessage[] = [];
  const subscription = bus.receive(noTrouble, async (message) => {
    seen.push(message);
    return settle(message, seen.filter(({ id }) => id === message.id).length);
  });
  return { seen, subscription };
}

describe("a message", () => {
  test("arrives with its id and body, and is gone when it is completed", async () => {
    const messages = Array.from({ length: 120 }, () => aMessage());
    await bus.send(queue, messages);
    const { seen, subscription } = receive(async () => ({ do: "complete" }));
    await eventually("all are received", () => seen.length === messages.length);
    await subscription.close();
    const bodies = new Map(seen.map(({ id, body }) => [id, body]));
    for (const { id, body } of messages) expect(bodies.get(id)).toEqual(body);
    const left = await client.createReceiver(queue).peekMessages(1);
    expect(left).toEqual([]);
  });

  test("carries its trace as properties", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    await bus.send(queue, [aMessage({ correlationId: "order-7", traceparent })]);
    const receiver = client.createReceiver(queue, { receiveMode: "receiveAndDelete" });
    const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 5000 });
    await receiver.close();
    expect(message).toMatchObject({ correlationId: "order-7", applicationProperties: { traceparent } });
  });

  test("sent twice with one id arrives once", async () => {
    const message = aMessage();
    await bus.send(queue, [message]);
    await bus.send(queue, [message, aMessage()]);
    const { seen, subscription } = receive(async () => ({ do: "complete" }));
    await eventually("both are received", () => seen.length === 2);
    await subscription.close();
    expect(new Set(seen.map(({ id }) => id)).size).toBe(2);
  });

  test("comes again when it is abandoned, and when its handler throws", async () => {
    await bus.send(queue, [aMessage()]);
    const { seen, subscription } = receive(async (_, times) => {
      if (times === 1) return { do: "abandon", because: "not now" };
      if (times === 2) throw new Error("oops");
      return { do: "complete" };
    });
    await eventually("it came three times", () => seen.length === 3);
    await subscription.close();
    expect(seen.map(({ delivery }) => delivery)).toEqual([1, 2, 3]);
  });

  test("is set aside with its reason", async () => {
    const message = aMessage();
    await bus.send(queue, [message]);
    const { subscription } = receive(async () => ({
      do: "dead-letter",
      reason: "malformed",
      description: "x".repeat(5000),
    }));
    const dead = client.createReceiver(queue, {
      subQueueType: "deadLetter",
      receiveMode: "receiveAndDelete",
    });
    const [found] = await dead.receiveMessages(1, { maxWaitTimeInMs: 10_000 });
    await dead.close();
    await subscription.close();
    expect(found).toMatchObject({ messageId: message.id, deadLetterReason: "malformed" });
  });

  test("larger than its queue takes is refused", async () => {
    await expect(bus.send(queue, [aMessage({ large: "x".repeat(2 << 20) })])).rejects.toThrow(RangeError);
  });
});

describe("closing a subscription", () => {
  test("waits for the handler at work, tells it, and takes nothing more", async () => {
    await bus.send(queue, [aMessage()]);
    const told = Promise.withResolvers<void>();
    const { seen, subscription } = receive(async ({ signal }) => {
      await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
      told.resolve();
      return { do: "complete" };
    });
    await eventually("the handler is at work", () => seen.length === 1);
    expect(subscription.isHealthy()).toBe(true);
    await subscription.close();
    await told.promise;
    expect(subscription.isHealthy()).toBe(false);

    await bus.send(queue, [aMessage()]);
    const next = receive(async () => ({ do: "complete" }));
    await eventually("the next one gets it", () => next.seen.length === 1);
    await next.subscription.close();
    expect(seen).toHaveLength(1);
  });
});

test("a broker that dies and comes back is found again, and has lost nothing", async () => {
  const [before, after] = [aMessage(), aMessage()];
  const seen: string[] = [];
  const errors: unknown[] = [];
  const subscription = bus.receive(
    { queue, concurrency: 4, onError: (error) => errors.push(error) },
    async ({ id }) => {
      seen.push(id);
      return { do: "complete" };
    },
  );
  await bus.send(queue, [before]);
  await eventually("the first message", () => seen.includes(before.id));
  await broker.restart();
  await eventually("sent to the broker", () =>
    bus.send(queue, [after]).then(
      () => true,
      () => false,
    ),
  );
  await eventually("the second message", () => seen.includes(after.id));
  await subscription.close();
});

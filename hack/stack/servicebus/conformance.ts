/**
 * What OPAL relies on about Service Bus queues, told by Azure's own SDK. The same suite runs on the emulator and,
 * given its connection string, on a real namespace: so the emulator cannot lie. It makes its own queues.
 */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import {
  ServiceBusClient,
  type CreateQueueOptions,
  type ServiceBusAdministrationClient,
  type ServiceBusMessage,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
} from "@azure/service-bus";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { collect, createClient, eventually, receiveOne } from "./testing.ts";

export interface ConformanceTarget {
  readonly connectionString: string;
  readonly admin: ServiceBusAdministrationClient;
  /** The shortest lock that the service allows; the suite waits for such locks to expire. */
  readonly lockSeconds: number;
}

const MAX_DELIVERIES = 3;

/** @param open called once before the tests; what it returns is used by all of them */
export function serviceBusConformance(open: () => Promise<ConformanceTarget>): void {
  let target: ConformanceTarget;
  let client: ServiceBusClient;
  const made: string[] = [];

  /** A new queue with the suite's short lock, and two deliveries before the third is the last. */
  async function makeQueue(options: CreateQueueOptions = {}): Promise<string> {
    const name = `conformance-${randomUUID()}`;
    made.push(name);
    await target.admin.createQueue(name, {
      lockDuration: `PT${target.lockSeconds}S`,
      maxDeliveryCount: MAX_DELIVERIES,
      ...options,
    });
    return name;
  }

  async function openQueue(options: CreateQueueOptions = {}) {
    const queue = await makeQueue(options);
    return { queue, sender: client.createSender(queue), receiver: client.createReceiver(queue) };
  }

  const deadLetters = (queue: string): ServiceBusReceiver =>
    client.createReceiver(queue, { subQueueType: "deadLetter" });

  async function isEmpty(receiver: ServiceBusReceiver, withinMilliseconds = 300): Promise<boolean> {
    return (await receiver.receiveMessages(1, { maxWaitTimeInMs: withinMilliseconds })).length === 0;
  }

  beforeAll(async () => {
    target = await open();
  });
  // A client of its own for every test: a receiver goes on renewing locks as long as it is open.
  beforeEach(() => {
    client = createClient(target.connectionString);
  });
  afterEach(() => client.close());
  afterAll(async () => {
    await Promise.all(made.map((name) => target.admin.deleteQueue(name)));
  });

  describe("sending and receiving", () => {
    test("a message arrives as it was sent, with what the broker adds", async () => {
      const { sender, receiver } = await openQueue();
      const before = Date.now();
      await sender.sendMessages({
        body: { hello: [1, "two", null] },
        messageId: "m1",
        correlationId: "c1",
        subject: "greeting",
        contentType: "application/json",
        timeToLive: 60_000,
        applicationProperties: { int: 1, float: 1.5, text: "x", yes: true },
      });
      const message = await receiveOne(receiver);
      expect(message).toMatchObject({
        body: { hello: [1, "two", null] },
        messageId: "m1",
        correlationId: "c1",
        subject: "greeting",
        contentType: "application/json",
        timeToLive: 60_000,
        deliveryCount: 0,
        state: "active",
      });
      expect(message.applicationProperties).toEqual({
        int: 1,
        float: 1.5,
        text: "x",
        yes: true,
      });
      expect(message.lockToken).toMatch(/^[0-9a-f-]{36}$/);
      expect(message.sequenceNumber?.toNumber()).toBeGreaterThan(0);
      expect(message.enqueuedTimeUtc?.getTime()).toBeGreaterThan(before - 5_000);
      expect(message.lockedUntilUtc?.getTime()).toBeGreaterThan(before);
      await receiver.completeMessage(message);
      expect(await isEmpty(receiver)).toBe(true);
    });

    test("a receiver of an empty queue gets nothing and can go on", async () => {
      const { sender, receiver } = await openQueue();
      expect(await isEmpty(receiver, 100)).toBe(true);
      const started = performance.now();
      for (let turn = 1; turn <= 5; turn += 1) expect(await isEmpty(receiver, 50)).toBe(true);
      // A broker that does not answer a drain costs 200 ms and the link each time.
      expect(performance.now() - started).toBeLessThan(5 * 200);
      await sender.sendMessages({ body: "late" });
      expect((await receiveOne(receiver)).body).toBe("late");
    });

    test("bodies of all kinds survive a batch, in order", async () => {
      const { sender, receiver } = await openQueue();
      const bodies = [1, "two", Buffer.from("binary"), { four: 4 }, null];
      await sender.sendMessages(bodies.map((body) => ({ body })));
      const messages = await collect(receiver, bodies.length);
      expect(messages.map(({ body }) => body)).toEqual(bodies);
    });

    test("a batch holds as much as the link allows, and all of it arrives", async () => {
      const { sender, receiver } = await openQueue();
      const batch = await sender.createMessageBatch();
      while (batch.tryAddMessage({ body: "x".repeat(10_000) }));
      expect(batch.maxSizeInBytes).toBeGreaterThanOrEqual(256 * 1024);
      expect(batch.count).toBeGreaterThanOrEqual(25);
      await sender.sendMessages(batch);
      expect(await collect(receiver, batch.count)).toHaveLength(batch.count);
    });

    test("a message that is too large is refused", async () => {
      const { sender } = await openQueue();
      const tooLarge = sender.sendMessages({ body: "x".repeat(2 * 1024 * 1024) });
      await expect(tooLarge).rejects.toMatchObject({ code: "MessageSizeExceeded" });
    });

    test("receive-and-delete takes messages away at once", async () => {
      const { queue, sender, receiver } = await openQueue();
      await sender.sendMessages([{ body: 1 }, { body: 2 }]);
      const taker = client.createReceiver(queue, { receiveMode: "receiveAndDelete" });
      const bodies: unknown[] = [];
      while (bodies.length < 2) {
        const messages = await taker.receiveMessages(2, { maxWaitTimeInMs: 2_000 });
        bodies.push(...messages.map(({ body }) => body as unknown));
      }
      expect(bodies).toEqual([1, 2]);
      expect(await isEmpty(receiver)).toBe(true);
    });

    test("a queue that does not exist is refused", async () => {
      const sender = client.createSender(`conformance-missing-${randomUUID()}`);
      await expect(sender.sendMessages({ body: 1 })).rejects.toMatchObject({
        code: "MessagingEntityNotFound",
      });
    });

    test("a wrong key is refused", async () => {
      const { queue } = await openQueue();
      const wrong = target.connectionString.replace(/SharedAccessKey=[^;]+/, "SharedAccessKey=d3Jvbmc=");
      const stranger = new ServiceBusClient(wrong, { retryOptions: { maxRetries: 0 } });
      const sending = stranger.createSender(queue).sendMessages({ body: 1 });
      await expect(sending).rejects.toMatchObject({ code: "UnauthorizedAccess" });
      await stranger.close();
    });
  });

  describe("peek-lock", () => {
    test("an abandoned message comes again, counted and with the changed properties", async () => {
      const { sender, receiver } = await openQueue();
      await sender.sendMessages({ body: "again", applicationProperties: { kept: 1, changed: 1 } });
      await receiver.abandonMessage(await receiveOne(receiver), { changed: 2, why: "busy" });
      const message = await receiveOne(receiver);
      expect(message.deliveryCount).toBe(1);
      expect(message.applicationProperties).toEqual({ kept: 1, changed: 2, why: "busy" });
      await receiver.completeMessage(message);
    });

    test("an abandoned message keeps its place in front of later ones", async () => {
      const { sender, receiver } = await openQueue();
      await sender.sendMessages([{ body: 1 }, { body: 2 }]);
      await receiver.abandonMessage(await receiveOne(receiver));
      expect((await receiveOne(receiver)).body).toBe(1);
    });

    test("a renewed lock holds longer", async () => {
      const { sender, receiver } = await openQueue();
      await sender.sendMessages({ body: "slow" });
      const message = await receiveOne(receiver);
      const before = message.lockedUntilUtc?.getTime() ?? 0;
      await sleep(300);
      const until = await receiver.renewMessageLock(message);
      expect(until.getTime()).toBeGreaterThan(before);
      await receiver.completeMessage(message);
    });

    test("a message whose lock expired comes again, and its old lock is worth nothing", async () => {
      const { queue, sender, receiver } = await openQueue();
      await sender.sendMessages({ body: "slow" });
      const forgetful = client.createReceiver(queue, { maxAutoLockRenewalDurationInMs: 0 });
      const first = await receiveOne(forgetful);
      const second = await receiveOne(receiver, target.lockSeconds + 10);
      expect(second.deliveryCount).toBe(1);
      await expect(forgetful.completeMessage(first)).rejects.toMatchObject({ code: "MessageLockLost" });
      await receiver.completeMessage(second);
      expect(await isEmpty(receiver)).toBe(true);
    });

    test("after its last delivery a message is dead-lettered", async () => {
      const { queue, sender, receiver } = await openQueue();
      await sender.sendMessages({ body: "poison" });
      for (let delivery = 1; delivery <= MAX_DELIVERIES; delivery += 1) {
        await receiver.abandonMessage(await receiveOne(receiver));
      }
      const message = await receiveOne(deadLetters(queue));
      expect(message.body).toBe("poison");
      expect(message.deadLetterReason).toBe("MaxDeliveryCountExceeded");
      expect(message.deadLetterSource?.toLowerCase()).toBe(queue);
      expect(await isEmpty(receiver)).toBe(true);
    });

    test("a dead-lettered message carries the reason, and can be completed from there", async () => {
      const { queue, sender, receiver } = await openQueue();
      await sender.sendMessages({ body: "bad", applicationProperties: { kept: 1 } });
      await receiver.deadLetterMessage(await receiveOne(receiver), {
        deadLetterReason: "BadInput",
        deadLetterErrorDescription: "not a picture",
        extra: "x",
      });
      const dead = deadLetters(queue);
      const message = await receiveOne(dead);
      expect(message.deadLetterReason).toBe("BadInput");
      expect(message.deadLetterErrorDescription).toBe("not a picture");
      expect(message.applicationProperties).toMatchObject({ kept: 1, extra: "x" });
      await dead.completeMessage(message);
      expect(await isEmpty(dead)).toBe(true);
    });

    test("a deferred message is received by its number only", async () => {
      const { sender, receiver } = await openQueue();
      await sender.sendMessages({ body: "later" });
      const message = await receiveOne(receiver);
      await receiver.deferMessage(message);
      expect(await isEmpty(receiver)).toBe(true);
      const number = message.sequenceNumber;
      if (number === undefined) throw new Error("no sequence number");
      const [deferred] = await receiver.receiveDeferredMessages(number);
      if (deferred === undefined) throw new Error("the deferred message is gone");
      expect(deferred).toMatchObject({ body: "later", state: "deferred" });
      await receiver.completeMessage(deferred);
      await expect(receiver.receiveDeferredMessages(number)).rejects.toMatchObject({
        code: "MessageNotFound",
      });
    });

    test("peeking shows messages of every state and locks none", async () => {
      const { sender, receiver } = await openQueue();
      await sender.sendMessages([{ body: "a" }, { body: "b" }]);
      await sender.scheduleMessages({ body: "c" }, new Date(Date.now() + 3_600_000));
      const peeked = await receiver.peekMessages(10);
      expect(peeked.map(({ body }) => body as unknown)).toEqual(["a", "b", "c"]);
      expect(peeked.map(({ state }) => state)).toEqual(["active", "active", "scheduled"]);
      expect(await collect(receiver, 2)).toHaveLength(2);
    });
  });

  describe("time", () => {
    test("a scheduled message comes when it is due, a cancelled one never", async () => {
      const { sender, receiver } = await openQueue();
      const due = Date.now() + 1_500;
      const [, cancelled] = await sender.scheduleMessages(
        [{ body: "due" }, { body: "never" }],
        new Date(due),
      );
      if (cancelled === undefined) throw new Error("no sequence number");
      await sender.cancelScheduledMessages(cancelled);
      expect(await isEmpty(receiver, 200)).toBe(true);
      const message = await receiveOne(receiver);
      expect(message.body).toBe("due");
      expect(Date.now()).toBeGreaterThanOrEqual(due - 50);
      expect(await isEmpty(receiver, 500)).toBe(true);
    });

    test("a message may say itself when it is due", async () => {
      const { sender, receiver } = await openQueue();
      const due = Date.now() + 1_000;
      await sender.sendMessages({ body: "due", scheduledEnqueueTimeUtc: new Date(due) });
      await receiveOne(receiver);
      expect(Date.now()).toBeGreaterThanOrEqual(due - 50);
    });

    test("an expired message is dead-lettered where the queue says so", async () => {
      const { queue, sender, receiver } = await openQueue({ deadLetteringOnMessageExpiration: true });
      await sender.sendMessages({ body: "stale", timeToLive: 300 });
      await sleep(600);
      expect(await isEmpty(receiver)).toBe(true);
      const message = await receiveOne(deadLetters(queue));
      expect(message.deadLetterReason).toBe("TTLExpiredException");
    });

    test("an expired message is gone where the queue says nothing", async () => {
      const { queue, sender, receiver } = await openQueue();
      await sender.sendMessages({ body: "stale", timeToLive: 300 });
      await sleep(600);
      expect(await isEmpty(receiver)).toBe(true);
      expect(await isEmpty(deadLetters(queue))).toBe(true);
    });

    test("a second message with the same id is dropped", async () => {
      const { sender, receiver } = await openQueue({
        requiresDuplicateDetection: true,
        duplicateDetectionHistoryTimeWindow: "PT1M",
      });
      const same = (body: string): ServiceBusMessage => ({ body, messageId: "same" });
      await sender.sendMessages([same("first"), same("in the batch")]);
      await receiver.completeMessage(await receiveOne(receiver));
      await sender.sendMessages(same("after completion"));
      await sender.sendMessages({ body: "other", messageId: "other" });
      expect((await receiveOne(receiver)).body).toBe("other");
      expect(await isEmpty(receiver)).toBe(true);
    });
  });

  describe("streaming", () => {
    test("a handler may take longer than the lock: it is renewed, and the message completed", async () => {
      const { queue, sender } = await openQueue();
      await sender.sendMessages({ body: "long" });
      const receiver = client.createReceiver(queue, { maxAutoLockRenewalDurationInMs: 60_000 });
      const deliveries: (number | undefined)[] = [];
      const errors: unknown[] = [];
      const subscription = receiver.subscribe({
        async processMessage({ deliveryCount }) {
          deliveries.push(deliveryCount);
          await sleep(target.lockSeconds * 1_000 * 2.2);
        },
        processError: async ({ error }) => void errors.push(error),
      });
      await eventually("the message is completed", async () => {
        const { totalMessageCount } = await target.admin.getQueueRuntimeProperties(queue);
        return deliveries.length > 0 && totalMessageCount === 0;
      });
      await subscription.close();
      expect(deliveries).toEqual([0]);
      expect(errors).toEqual([]);
    });

    test("a handler that throws abandons the message", async () => {
      const { sender, receiver } = await openQueue();
      await sender.sendMessages({ body: "twice" });
      const deliveries: (number | undefined)[] = [];
      const subscription = receiver.subscribe({
        processMessage({ deliveryCount }) {
          deliveries.push(deliveryCount);
          return deliveries.length === 1 ? Promise.reject(new Error("not yet")) : Promise.resolve();
        },
        processError: () => Promise.resolve(),
      });
      await eventually("it was delivered again", () => deliveries.length === 2);
      await subscription.close();
      expect(deliveries).toEqual([0, 1]);
    });

    test("one receiver goes on for thousands of messages, each once and in order", async () => {
      // rhea's session window is 2,048 deliveries: more than one window has to go through.
      const count = 3_000;
      const { queue, sender } = await openQueue({ lockDuration: "PT1M" });
      for (let start = 0; start < count; start += 500) {
        await sender.sendMessages(Array.from({ length: 500 }, (_, index) => ({ body: start + index })));
      }
      const seen: unknown[] = [];
      const receiver = client.createReceiver(queue);
      const subscription = receiver.subscribe(
        {
          processMessage: async ({ body }) => void seen.push(body),
          processError: ({ error }) => Promise.reject(error),
        },
        { maxConcurrentCalls: 50 },
      );
      await eventually("all were seen", () => seen.length >= count, 60);
      await subscription.close();
      expect(seen).toEqual(Array.from({ length: count }, (_, index) => index));
      const { totalMessageCount } = await target.admin.getQueueRuntimeProperties(queue);
      expect(totalMessageCount).toBe(0);
    });

    test("two receivers share a queue, and no message goes to both", async () => {
      const count = 200;
      const { queue, sender } = await openQueue({ lockDuration: "PT1M" });
      const shares: unknown[][] = [[], []];
      const subscriptions = shares.map((share) =>
        client.createReceiver(queue).subscribe({
          async processMessage({ body }) {
            share.push(body);
            await sleep(2);
          },
          processError: ({ error }) => Promise.reject(error),
        }),
      );
      await sender.sendMessages(Array.from({ length: count }, (_, index) => ({ body: index })));
      await eventually("all were seen", () => shares.flat().length >= count);
      await Promise.all(subscriptions.map((subscription) => subscription.close()));
      expect(new Set(shares.flat()).size).toBe(count);
      expect(shares.flat()).toHaveLength(count);
      for (const share of shares) expect(share.length).toBeGreaterThan(count / 5);
    });
  });

  describe("sessions", () => {
    const sessions = { requiresSession: true };

    test("a session's messages go to its holder, who may keep a state", async () => {
      const { queue, sender } = await openQueue(sessions);
      await sender.sendMessages([
        { body: "a", sessionId: "one" },
        { body: "b", sessionId: "two" },
        { body: "c", sessionId: "one" },
      ]);
      const session = await client.acceptSession(queue, "one");
      const messages: ServiceBusReceivedMessage[] = [];
      while (messages.length < 2) {
        messages.push(...(await session.receiveMessages(2, { maxWaitTimeInMs: 2_000 })));
      }
      expect(messages.map(({ body }) => body as unknown)).toEqual(["a", "c"]);
      for (const message of messages) await session.completeMessage(message);
      await session.setSessionState({ step: 1 });
      expect(await session.getSessionState()).toEqual({ step: 1 });
      const until = await session.renewSessionLock();
      expect(until.getTime()).toBeGreaterThan(Date.now());
      await session.close();
    });

    test("a session has one holder at a time", async () => {
      const { queue, sender } = await openQueue(sessions);
      await sender.sendMessages({ body: "a", sessionId: "one" });
      const impatient = new ServiceBusClient(target.connectionString, { retryOptions: { maxRetries: 0 } });
      const holder = await client.acceptSession(queue, "one");
      await expect(impatient.acceptSession(queue, "one")).rejects.toMatchObject({
        code: "SessionCannotBeLocked",
      });
      await holder.close();
      const next = await client.acceptSession(queue, "one");
      expect(next.sessionId).toBe("one");
      await next.close();
      await impatient.close();
    });

    test("the next free session is the one whose message waits longest", async () => {
      const { queue, sender } = await openQueue(sessions);
      await sender.sendMessages([
        { body: "a", sessionId: "one" },
        { body: "b", sessionId: "two" },
      ]);
      const first = await client.acceptNextSession(queue);
      const second = await client.acceptNextSession(queue);
      expect([first.sessionId, second.sessionId]).toEqual(["one", "two"]);
      await Promise.all([first.close(), second.close()]);
    });
  });

  describe("administration", () => {
    test("counts of a queue, as scalers read them", async () => {
      const { queue, sender, receiver } = await openQueue();
      await sender.sendMessages([{ body: 1 }, { body: 2 }, { body: 3 }]);
      await sender.scheduleMessages({ body: 4 }, new Date(Date.now() + 3_600_000));
      const [first, second] = await collect(receiver, 2);
      if (first === undefined || second === undefined) throw new Error("two messages were sent");
      await receiver.deadLetterMessage(first);
      const counts = await target.admin.getQueueRuntimeProperties(queue);
      expect(counts).toMatchObject({
        activeMessageCount: 2, // the locked one counts
        scheduledMessageCount: 1,
        deadLetterMessageCount: 1,
        totalMessageCount: 4,
      });
    });

    test("settings of a queue can be read, and a queue can be deleted", async () => {
      const queue = await makeQueue({ requiresDuplicateDetection: true });
      const settings = await target.admin.getQueue(queue);
      expect(settings).toMatchObject({
        name: queue,
        lockDuration: `PT${target.lockSeconds}S`,
        maxDeliveryCount: MAX_DELIVERIES,
        requiresDuplicateDetection: true,
        duplicateDetectionHistoryTimeWindow: "PT10M",
        requiresSession: false,
      });
      await expect(target.admin.createQueue(queue)).rejects.toMatchObject({
        code: "MessageEntityAlreadyExistsError",
      });
      await target.admin.deleteQueue(queue);
      made.splice(made.indexOf(queue), 1);
      expect(await target.admin.queueExists(queue)).toBe(false);
    });
  });
}

/** What the emulator has accepted survives its death; what it has completed does not come back. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { ServiceBusAdministrationClient, type ServiceBusClient } from "@azure/service-bus";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startReaper, type Reaper } from "../../processes/reaper.ts";
import { startServiceBus, type ServiceBus } from "./start.ts";
import { createClient, eventually, receiveOne } from "./testing.ts";

const LOCK_SECONDS = 2;
const queues = { q: { lockSeconds: LOCK_SECONDS, maxDeliveryCount: 10, duplicateDetectionSeconds: 600 } };

const BAD = { deadLetterReason: "Bad", deadLetterErrorDescription: "very" };
/** What was in flight when the emulator died is only given up after this. */
const TIMEOUT_SECONDS = 2;

let folder: string;
let reaper: Reaper;
let bus: ServiceBus;
let client: ServiceBusClient;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), "opal-restart-"));
  reaper = startReaper({ env: process.env });
  bus = await startServiceBus({ folder, queues }, reaper);
  client = createClient(bus.connectionString, TIMEOUT_SECONDS);
});
afterEach(async () => {
  await client.close();
  await reaper.close();
  rmSync(folder, { recursive: true });
});

/** Another life on the same ports: connection strings stay good. */
async function killAndRestart(): Promise<void> {
  await bus.part.kill();
  bus = await startServiceBus({ folder, queues, ports: bus.ports }, reaper);
}

describe("after SIGKILL", () => {
  test("messages of every state are there, with their counts and the ids that were seen", async () => {
    const sender = client.createSender("q");
    const receiver = client.createReceiver("q");
    const due = Date.now() + 5_000;
    await sender.sendMessages(
      ["deferred", "dead", "done", "tried", "ready"].map((id) => ({ body: id, messageId: id })),
    );
    await sender.scheduleMessages({ body: "scheduled", messageId: "scheduled" }, new Date(due));
    const deferred = await receiveOne(receiver);
    await receiver.deferMessage(deferred);
    await receiver.deadLetterMessage(await receiveOne(receiver), BAD);
    await receiver.completeMessage(await receiveOne(receiver));
    await receiver.abandonMessage(await receiveOne(receiver), { tries: 1 });
    await client.close();
    const { connectionString } = bus;

    await killAndRestart();
    expect(bus.connectionString).toBe(connectionString);
    client = createClient(bus.connectionString, TIMEOUT_SECONDS);
    const again = client.createReceiver("q");
    await client.createSender("q").sendMessages({ body: "a repeated send", messageId: "done" });
    const tried = await receiveOne(again);
    expect(tried).toMatchObject({ body: "tried", deliveryCount: 1, applicationProperties: { tries: 1 } });
    await again.completeMessage(tried);
    const ready = await receiveOne(again);
    expect(ready).toMatchObject({ body: "ready", deliveryCount: 0 });
    await again.completeMessage(ready);

    const number = deferred.sequenceNumber;
    if (number === undefined) throw new Error("no sequence number");
    const [found] = await again.receiveDeferredMessages(number);
    expect(found?.body).toBe("deferred");
    const dead = await receiveOne(client.createReceiver("q", { subQueueType: "deadLetter" }));
    expect(dead).toMatchObject({ body: "dead", deadLetterReason: "Bad" });
    const scheduled = await receiveOne(again);
    expect(scheduled.body).toBe("scheduled");
    expect(Date.now()).toBeGreaterThanOrEqual(due - 50);
  });

  test("a message in work keeps its lock: its receiver can complete it, and nobody gets it twice", async () => {
    await client.createSender("q").sendMessages({ body: "long" });
    const deliveries: unknown[] = [];
    let finish = (): void => {};
    const working = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const errors: unknown[] = [];
    const subscription = client.createReceiver("q").subscribe({
      async processMessage({ deliveryCount }) {
        deliveries.push(deliveryCount);
        await working;
      },
      processError: async ({ error }) => void errors.push(error),
    });
    await eventually("the message is in work", () => deliveries.length === 1);
    await killAndRestart();
    finish();
    await eventually("it is completed", async () => (await countMessages()) === 0);
    await subscription.close();
    expect(deliveries).toEqual([0]);
  });

  test("a message whose receiver died meanwhile comes again when its lock expires", async () => {
    const forgetful = createClient(bus.connectionString, TIMEOUT_SECONDS);
    await client.createSender("q").sendMessages({ body: "orphan" });
    await receiveOne(forgetful.createReceiver("q", { maxAutoLockRenewalDurationInMs: 0 }));
    const lockedAt = Date.now();
    await bus.part.kill();
    await forgetful.close();
    bus = await startServiceBus({ folder, queues, ports: bus.ports }, reaper);
    const message = await receiveOne(client.createReceiver("q"));
    expect(message.deliveryCount).toBe(1);
    expect(Date.now() - lockedAt).toBeGreaterThan(LOCK_SECONDS * 1_000 - 100);
  });

  test("nothing accepted is lost and nothing completed comes back, killed over and over in mid-stream", async () => {
    const accepted = new Set<string>();
    const delivered = new Set<string>();
    const completed = new Set<string>();
    const comeBack: string[] = [];
    const receiver = client.createReceiver("q", { maxAutoLockRenewalDurationInMs: 0 });
    const subscription = receiver.subscribe(
      {
        async processMessage(message) {
          const id = String(message.messageId);
          delivered.add(id);
          if (completed.has(id)) comeBack.push(id);
          await receiver.completeMessage(message);
          completed.add(id);
        },
        processError: () => Promise.resolve(), // the connection dies again and again
      },
      { maxConcurrentCalls: 10, autoCompleteMessages: false },
    );

    let isSending = true;
    const sending = sendUntil(() => !isSending, accepted);
    for (let kill = 1; kill <= 3; kill += 1) {
      const before = accepted.size;
      await eventually("more is accepted", () => accepted.size >= before + 100);
      await killAndRestart();
    }
    isSending = false;
    await sending;
    // Empty, and not "all completed": the death may have swallowed an answer to a completion that was done.
    await eventually("the queue is empty", async () => (await countMessages()) === 0, 30);
    await subscription.close();
    expect(accepted.size).toBeGreaterThan(300);
    expect([...accepted].filter((id) => !delivered.has(id))).toEqual([]);
    expect(comeBack).toEqual([]);
  }, 60_000);
});

/** Sends single messages one after the other; a send that fails is repeated under the same id. */
async function sendUntil(isOver: () => boolean, accepted: Set<string>): Promise<void> {
  const sender = client.createSender("q");
  for (let next = 1; !isOver(); next += 1) {
    const messageId = `m${next}`;
    while (!accepted.has(messageId)) {
      try {
        await sender.sendMessages({ body: next, messageId });
        accepted.add(messageId);
      } catch {
        await sleep(50);
      }
    }
  }
}

async function countMessages(): Promise<number | undefined> {
  const admin = new ServiceBusAdministrationClient(bus.adminConnectionString, { tlsOptions: { ca: bus.ca } });
  return (await admin.getQueueRuntimeProperties("q")).totalMessageCount;
}

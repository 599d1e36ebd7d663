import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { Broker, type Consumer, type Source } from "./broker.ts";
import { Journal } from "./journal/journal.ts";
import type { StoredMessage } from "./queue/message.ts";
import { QueueSettings, type QueueSettingsInput } from "./queue/settings.ts";

let folder: string;
let broker: Broker;
let now: number;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "opal-broker-"));
  now = Date.UTC(2026, 0, 1);
  broker = openBroker();
});
afterEach(() => {
  broker.close();
  rmSync(folder, { recursive: true });
});

function openBroker(minCompactBytes = 1_000_000): Broker {
  const journal = new Journal({ folder, sync: "never", minCompactBytes });
  return new Broker({ journal, now: () => now, newToken: randomUUID });
}

function openQueue(settings: QueueSettingsInput = {}): Source {
  broker.putQueue("Jobs", QueueSettings.parse(settings));
  const source = broker.source("jobs");
  if (source === undefined) throw new Error("the queue was just made");
  return source;
}

function send({ queue }: Source, ...ids: string[]): void {
  for (const messageId of ids) queue.send({ messageId, amqp: Buffer.from(messageId) }, now);
  broker.touch();
}

class AConsumer implements Consumer {
  readonly mode: Consumer["mode"] = "peek-lock";
  readonly sessionId: string | undefined;
  readonly got: StoredMessage[] = [];
  readonly ends: string[] = [];
  wants: number;

  constructor(wants: number, sessionId?: string) {
    this.wants = wants;
    this.sessionId = sessionId;
  }

  get ids(): string[] {
    return this.got.map(({ messageId }) => messageId);
  }

  credit(): number {
    return this.wants;
  }

  deliver(message: StoredMessage): void {
    this.wants -= 1;
    this.got.push(message);
  }

  settled(): void {}

  cutOff(reason: string): void {
    this.ends.push(reason);
  }
}

describe("the broker", () => {
  test("tells that something was done once it is in the journal, and not before", async () => {
    const source = openQueue();
    await turn();
    const journal = (): string => readFileSync(join(folder, "journal.log"), "utf8");
    send(source, "m1");
    let written: boolean | undefined;
    broker.afterCommit(() => {
      written = journal().includes('"m1"');
    });
    expect(journal()).not.toContain('"m1"');
    expect(written).toBeUndefined();
    await turn();
    expect(written).toBe(true);
  });

  test("hands a message out only after its lock is in the journal", async () => {
    const source = openQueue();
    send(source, "m1");
    const consumer = new AConsumer(1);
    broker.attach(consumer, source);
    await turn();
    const token = consumer.got[0]?.lock?.token;
    expect(token).toBeDefined();
    expect(readFileSync(join(folder, "journal.log"), "utf8")).toContain(`"token":"${token}"`);
  });

  test("gives a consumer no more than it wants, and shares a queue evenly", async () => {
    const source = openQueue();
    const [one, two, modest] = [new AConsumer(10), new AConsumer(10), new AConsumer(1)];
    for (const consumer of [one, two, modest]) broker.attach(consumer, source);
    send(source, ...Array.from({ length: 9 }, (_, index) => `m${index}`));
    await turn();
    expect([one.got.length, two.got.length, modest.got.length]).toEqual([4, 4, 1]);
  });

  test("single messages go round as well", async () => {
    const source = openQueue();
    const [one, two] = [new AConsumer(10), new AConsumer(10)];
    for (const consumer of [one, two]) broker.attach(consumer, source);
    for (const id of ["a", "b", "c", "d"]) {
      send(source, id);
      await turn();
    }
    expect([one.got.length, two.got.length]).toEqual([2, 2]);
  });

  test("cuts off a consumer whose session was lost or whose queue was deleted", async () => {
    const source = openQueue({ requiresSession: true, lockSeconds: 10 });
    source.queue.acceptSession("s", now);
    const holder = new AConsumer(1, "s");
    broker.attach(holder, source);
    await turn();
    expect(holder.ends).toEqual([]);
    now += 10_000;
    broker.touch();
    await turn();
    expect(holder.ends).toEqual(["session-lost"]);

    const other = new AConsumer(1);
    broker.attach(other, source);
    expect(broker.deleteQueue("JOBS")).toBe(true);
    expect(broker.deleteQueue("JOBS")).toBe(false);
    expect(other.ends).toEqual(["queue-deleted"]);
  });

  test("keeps its journal small, and finds in it what was left", async () => {
    broker.close();
    broker = openBroker(20_000);
    const source = openQueue({ duplicateDetectionSeconds: 1 });
    const consumer = new AConsumer(0);
    broker.attach(consumer, source);
    for (let round = 1; round <= 100; round += 1) {
      send(source, `done${round}`);
      consumer.wants = 1;
      await turn();
      source.queue.settle(consumer.got.at(-1)?.lock?.token ?? "", { kind: "completed" });
      now += 1_000;
    }
    send(source, "left");
    await turn();
    expect(consumer.got).toHaveLength(100);
    expect(statSync(join(folder, "journal.log")).size).toBeLessThan(25_000);
    broker.close();
    broker = openBroker();
    const again = new AConsumer(10);
    const reopened = broker.source("jobs");
    if (reopened === undefined) throw new Error("the queue is gone");
    broker.attach(again, reopened);
    await turn();
    expect(again.ids).toEqual(["left"]);
  });
});

describe("an address", () => {
  test.each([
    ["Jobs", "main"],
    ["/jobs", "main"],
    ["jobs/$DeadLetterQueue", "dead"],
    ["JOBS/$deadletterqueue", "dead"],
  ])("%s names the %s queue", (address, subqueue) => {
    const { queue } = openQueue();
    expect(broker.source(address)).toEqual({ queue, subqueue });
  });

  test.each(["", "job", "jobs/", "$DeadLetterQueue"])("%j names nothing", (address) => {
    openQueue();
    expect(broker.source(address)).toBeUndefined();
  });
});

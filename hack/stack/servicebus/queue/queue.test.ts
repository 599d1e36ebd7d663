import { describe, expect, test } from "vitest";
import { countsOf, peek } from "./inspect.ts";
import { QueueOnBench, START } from "./testing.ts";

describe("peek-lock", () => {
  test("messages are taken in the order in which they were sent", () => {
    const bench = new QueueOnBench();
    for (const id of ["a", "b", "c"]) bench.send(id);
    expect([bench.take()?.id, bench.take()?.id, bench.take()?.id, bench.take()]).toEqual([
      "a",
      "b",
      "c",
      undefined,
    ]);
  });

  test("a completed message is gone; its lock is worth nothing then", () => {
    const bench = new QueueOnBench();
    bench.send("a");
    const token = bench.takeToken();
    expect(bench.queue.settle(token, { kind: "completed" })).toBe(true);
    expect(bench.queue.settle(token, { kind: "completed" })).toBe(false);
    expect(bench.queue.state.messages.size).toBe(0);
  });

  test("an abandoned message goes back to its place, counted, as its receiver changed it", () => {
    const bench = new QueueOnBench();
    for (const id of ["a", "b"]) bench.send(id);
    bench.queue.settle(bench.takeToken(), { kind: "abandoned", amqp: Buffer.from("changed") });
    expect(bench.readyIds()).toEqual(["a", "b"]);
    const [message] = bench.queue.state.messages.values();
    expect(message).toMatchObject({ deliveryCount: 1, amqp: Buffer.from("changed") });
    expect(message).not.toHaveProperty("lock");
  });

  test("a lock expires after its time and not before", () => {
    const bench = new QueueOnBench({ lockSeconds: 30 });
    bench.send("a");
    const token = bench.takeToken();
    expect(bench.queue.nextDeadline()).toBe(START + 30_000);
    bench.wait(29.999);
    expect(bench.queue.locked(token)?.messageId).toBe("a");
    bench.wait(0.001);
    expect(bench.queue.locked(token)).toBeUndefined();
    expect(bench.readyIds()).toEqual(["a"]);
    expect(bench.queue.settle(token, { kind: "completed" })).toBe(false);
  });

  test("a renewed lock holds from the renewal on", () => {
    const bench = new QueueOnBench({ lockSeconds: 30 });
    bench.send("a");
    const token = bench.takeToken();
    bench.wait(20);
    expect(bench.queue.renew(token, bench.now)).toBe(START + 50_000);
    bench.wait(29);
    expect(bench.queue.locked(token)).toBeDefined();
    bench.wait(1);
    expect(bench.queue.renew(token, bench.now)).toBeUndefined();
  });

  test.each(["abandoned", "lock expired"])(
    "the last delivery dead-letters the message when it is %s",
    (how) => {
      const bench = new QueueOnBench({ maxDeliveryCount: 2, lockSeconds: 10 });
      bench.send("a");
      for (let delivery = 1; delivery <= 2; delivery += 1) {
        const token = bench.takeToken();
        if (how === "abandoned") bench.queue.settle(token, { kind: "abandoned" });
        else bench.wait(10);
      }
      expect(bench.readyIds()).toEqual([]);
      expect(bench.readyIds("dead")).toEqual(["a"]);
      const [message] = bench.queue.state.messages.values();
      expect(message?.deadLetter?.reason).toBe("MaxDeliveryCountExceeded");
    },
  );

  test("a dead-lettered message is never dead-lettered again, however often it is abandoned", () => {
    const bench = new QueueOnBench({ maxDeliveryCount: 1 });
    bench.send("a");
    bench.queue.settle(bench.takeToken(), {
      kind: "dead-lettered",
      deadLetter: { reason: "Bad", description: "very" },
    });
    for (let delivery = 1; delivery <= 3; delivery += 1) {
      bench.queue.settle(bench.take("dead")?.token ?? "", { kind: "abandoned" });
    }
    expect(bench.readyIds("dead")).toEqual(["a"]);
    const [message] = bench.queue.state.messages.values();
    expect(message?.deadLetter).toEqual({ reason: "Bad", description: "very" });
  });

  test("a deferred message is found by its number only, and stays deferred when it is given back", () => {
    const bench = new QueueOnBench();
    const sequence = bench.send("a");
    bench.queue.settle(bench.takeToken(), { kind: "deferred" });
    expect(bench.take()).toBeUndefined();
    const token = "00000000-0000-4000-8000-000000000001";
    expect(bench.queue.takeDeferred(sequence, token, bench.now)?.messageId).toBe("a");
    expect(bench.queue.takeDeferred(sequence, token, bench.now)).toBeUndefined();
    bench.queue.settle(token, { kind: "abandoned" });
    expect(bench.readyIds()).toEqual([]);
    expect(bench.queue.takeDeferredAway(sequence)?.messageId).toBe("a");
  });
});

describe("time", () => {
  test("a scheduled message can be received when it is due, after what was there before", () => {
    const bench = new QueueOnBench();
    const late = bench.send("late", { scheduledFor: START + 60_000 });
    bench.send("now");
    expect(bench.readyIds()).toEqual(["now"]);
    bench.wait(60);
    expect(bench.readyIds()).toEqual(["late", "now"]);
    expect(bench.queue.state.messages.get(late)?.enqueuedAt).toBe(START + 60_000);
  });

  test("a cancelled message never comes; another message cannot be cancelled", () => {
    const bench = new QueueOnBench();
    const scheduled = bench.send("late", { scheduledFor: START + 1_000 });
    const ready = bench.send("now");
    expect(bench.queue.cancelScheduled(scheduled)).toBe(true);
    expect(bench.queue.cancelScheduled(scheduled)).toBe(false);
    expect(bench.queue.cancelScheduled(ready)).toBe(false);
    bench.wait(5);
    expect(bench.readyIds()).toEqual(["now"]);
  });

  test("a message expires when nobody holds it", () => {
    const bench = new QueueOnBench({ lockSeconds: 60 });
    bench.send("held", { timeToLiveMilliseconds: 10_000 });
    bench.send("waiting", { timeToLiveMilliseconds: 10_000 });
    const token = bench.takeToken();
    bench.wait(10);
    expect(bench.readyIds()).toEqual([]);
    expect(bench.queue.locked(token)?.messageId).toBe("held");
    bench.queue.settle(token, { kind: "abandoned" });
    bench.wait(0);
    expect(bench.queue.state.messages.size).toBe(0);
  });

  test("an expired message is dead-lettered where the settings say so", () => {
    const bench = new QueueOnBench({ deadLetteringOnMessageExpiration: true });
    bench.send("a", { timeToLiveMilliseconds: 1_000 });
    bench.wait(1);
    expect(bench.readyIds("dead")).toEqual(["a"]);
    bench.wait(1_000_000);
    expect(bench.readyIds("dead")).toEqual(["a"]);
  });

  test("the life of a scheduled message begins when it is due", () => {
    const bench = new QueueOnBench();
    bench.send("a", { scheduledFor: START + 60_000, timeToLiveMilliseconds: 10_000 });
    bench.wait(60);
    bench.wait(9.9);
    expect(bench.readyIds()).toEqual(["a"]);
    bench.wait(0.1);
    expect(bench.readyIds()).toEqual([]);
  });

  test("the queue's own limit shortens a longer life", () => {
    const bench = new QueueOnBench({ defaultTimeToLiveSeconds: 5 });
    bench.send("a", { timeToLiveMilliseconds: 60_000 });
    bench.send("b");
    bench.wait(5);
    expect(bench.readyIds()).toEqual([]);
  });
});

describe("duplicate detection", () => {
  test("drops a message with a known id within the window, also when the first one is done", () => {
    const bench = new QueueOnBench({ duplicateDetectionSeconds: 600 });
    bench.send("a");
    bench.queue.settle(bench.takeToken(), { kind: "completed" });
    bench.wait(599);
    bench.send("a");
    expect(bench.readyIds()).toEqual([]);
    bench.wait(1);
    bench.send("a");
    expect(bench.readyIds()).toEqual(["a"]);
  });

  test("is off by default, and then remembers nothing", () => {
    const bench = new QueueOnBench();
    for (let copy = 1; copy <= 2; copy += 1) bench.send("a");
    expect(bench.readyIds()).toEqual(["a", "a"]);
    bench.wait(1);
    expect(bench.queue.state.seen.size).toBe(0);
  });
});

describe("sessions", () => {
  const settings = { requiresSession: true, lockSeconds: 30, maxDeliveryCount: 3 };

  function twoSessions(): QueueOnBench {
    const bench = new QueueOnBench(settings);
    bench.send("a1", { sessionId: "a" });
    bench.send("b1", { sessionId: "b" });
    bench.send("a2", { sessionId: "a" });
    return bench;
  }

  test("a holder gets its session's messages, in order, and no others", () => {
    const bench = twoSessions();
    bench.queue.acceptSession("a", bench.now);
    expect([bench.take("main", "a")?.id, bench.take("main", "a")?.id, bench.take("main", "a")]).toEqual([
      "a1",
      "a2",
      undefined,
    ]);
  });

  test("a session has one holder; the next free one is the one that waits longest", () => {
    const bench = twoSessions();
    expect(bench.queue.acceptSession(undefined, bench.now)).toMatchObject({ id: "a" });
    expect(bench.queue.acceptSession("a", bench.now)).toBe("held");
    expect(bench.queue.acceptSession(undefined, bench.now)).toMatchObject({ id: "b" });
    expect(bench.queue.acceptSession(undefined, bench.now)).toBe("none");
  });

  test("closing a session gives its messages back uncounted", () => {
    const bench = twoSessions();
    bench.queue.acceptSession("a", bench.now);
    bench.take("main", "a");
    bench.queue.releaseSession("a");
    expect(bench.readyIds()).toEqual(["a1", "b1", "a2"]);
    expect(bench.queue.state.messages.get(1)?.deliveryCount).toBe(0);
  });

  test("a session that is not renewed is lost, and that is a failed delivery", () => {
    const bench = twoSessions();
    bench.queue.acceptSession("a", bench.now);
    bench.take("main", "a");
    bench.wait(20);
    expect(bench.queue.renewSession("a", bench.now)).toBe(START + 50_000);
    bench.wait(29);
    expect(bench.queue.isSessionHeld("a")).toBe(true);
    bench.wait(1);
    expect(bench.queue.isSessionHeld("a")).toBe(false);
    expect(bench.queue.renewSession("a", bench.now)).toBeUndefined();
    expect(bench.queue.state.messages.get(1)?.deliveryCount).toBe(1);
  });
});

describe("looking at a queue", () => {
  function filled(): QueueOnBench {
    const bench = new QueueOnBench();
    for (const id of ["locked", "deferred", "dead", "ready"]) bench.send(id);
    bench.send("scheduled", { scheduledFor: START + 1_000, sessionId: "s" });
    bench.take();
    bench.queue.settle(bench.takeToken(), { kind: "deferred" });
    bench.queue.settle(bench.takeToken(), { kind: "dead-lettered", deadLetter: {} });
    return bench;
  }

  test("locked and deferred messages count as active", () => {
    expect(countsOf(filled().queue.state)).toEqual({ active: 3, scheduled: 1, deadLettered: 1 });
  });

  test.each([
    {
      name: "everything in the queue proper",
      request: {},
      ids: ["locked", "deferred", "ready", "scheduled"],
    },
    { name: "from a number on", request: { fromSequence: 3 }, ids: ["ready", "scheduled"] },
    { name: "no more than asked for", request: { limit: 2 }, ids: ["locked", "deferred"] },
    { name: "one session", request: { sessionId: "s" }, ids: ["scheduled"] },
    { name: "the dead-letter queue", request: { subqueue: "dead" as const }, ids: ["dead"] },
  ])("peeking shows $name", ({ request, ids }) => {
    const found = peek(filled().queue.state, { subqueue: "main", fromSequence: 0, limit: 10, ...request });
    expect(found.map(({ messageId }) => messageId)).toEqual(ids);
  });
});

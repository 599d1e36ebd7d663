import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createFakeClock } from "./testing.ts";
import { createWorkQueue, type WorkQueue } from "./work-queue.ts";

function aQueue({ random = () => 0 }: { random?: () => number } = {}) {
  const clock = createFakeClock();
  const waits: number[] = [];
  let workedSeconds: () => readonly number[] = () => [];
  const queue = createWorkQueue({
    clock,
    random,
    backoff: { baseMs: 100, maxMs: 1000 },
    observer: {
      opened: (worked) => (workedSeconds = worked),
      added() {},
      depth() {},
      retried() {},
      started: (s) => waits.push(s),
      finished() {},
    },
  });
  return { clock, queue, waits, workedSeconds: () => workedSeconds() };
}

async function inOrder(queue: WorkQueue, count: number): Promise<(string | undefined)[]> {
  const keys: (string | undefined)[] = [];
  for (let n = 0; n < count; n++) {
    const key = await queue.next();
    keys.push(key);
    queue.done(key!);
  }
  return keys;
}

describe("the work queue", () => {
  it("tells how long each key has been worked on", async () => {
    const { clock, queue, workedSeconds } = aQueue();
    for (const key of ["a", "b", "c"]) queue.add(key);
    await queue.next();
    await clock.advance(2000);
    await queue.next();
    await clock.advance(500);
    expect(workedSeconds()).toEqual([2.5, 0.5]);
    queue.done("a");
    expect(workedSeconds()).toEqual([0.5]);
  });

  it("gives out a key once however often it was added", async () => {
    const { queue } = aQueue();
    for (const key of ["a", "b", "a", "a"]) queue.add(key);
    expect([await queue.next(), await queue.next()]).toEqual(["a", "b"]);
    expect(queue.depth).toBe(0);
  });

  it("gives out no key that is being worked on, and gives it out again afterwards when it was added meanwhile", async () => {
    const { queue } = aQueue();
    queue.add("a");
    await queue.next();
    queue.add("a");
    queue.add("b");
    expect(await queue.next()).toBe("b");
    expect(queue.depth).toBe(0);
    queue.done("a");
    expect(await queue.next()).toBe("a");
  });

  it("wakes a waiting worker", async () => {
    const { queue } = aQueue();
    const next = queue.next();
    queue.add("a");
    expect(await next).toBe("a");
  });

  it("gives out high priority first, and raises a key that is added again", async () => {
    const { queue } = aQueue();
    queue.add("resync-1", "low");
    queue.add("resync-2", "low");
    queue.add("edit", "high");
    queue.add("resync-2", "high");
    expect([await queue.next(), await queue.next(), await queue.next()]).toEqual([
      "edit",
      "resync-2",
      "resync-1",
    ]);
  });

  it("keeps a raised priority for a key that is being worked on", async () => {
    const { queue } = aQueue();
    queue.add("a");
    await queue.next();
    queue.add("a", "low");
    queue.add("a", "high");
    queue.add("b", "low");
    queue.done("a");
    expect(await queue.next()).toBe("a");
  });

  it("adds later, at the earliest of several times", async () => {
    const { queue, clock } = aQueue();
    queue.addAfter("a", 500);
    queue.addAfter("a", 200);
    queue.addAfter("a", 900);
    await clock.advance(199);
    expect(queue.depth).toBe(0);
    await clock.advance(1);
    expect(queue.depth).toBe(1);
    expect(clock.timers).toBe(0);
  });

  it("backs off longer with every failure of a key, and starts anew after a success", () => {
    const { queue } = aQueue();
    expect([1, 2, 3, 4, 5, 6].map(() => queue.retry("a"))).toEqual([50, 100, 200, 400, 500, 500]);
    expect(queue.retry("b")).toBe(50);
    queue.forget("a");
    expect(queue.retry("a")).toBe(50);
  });

  it("tries again within the limits it is given, spread when many were told the same", () => {
    const { queue } = aQueue({ random: () => 0.8 });
    for (let failures = 1; failures < 6; failures++) queue.retry("a");
    expect(queue.retry("a", { maxMs: 300 })).toBe(300);
    expect(queue.retry("b", { minMs: 2000 })).toBe(2400);
  });

  it("gives a key its priority back when it is tried again, and low priority to what the time brings", async () => {
    const { queue, clock } = aQueue();
    queue.add("start-up", "low");
    queue.add("edit", "high");
    for (const key of ["edit", "start-up"]) {
      expect(await queue.next()).toBe(key);
      queue.retry(key);
      queue.done(key);
    }
    queue.addAfter("timed", 1);
    await clock.advance(100);
    queue.add("another edit");
    expect(await inOrder(queue, 4)).toEqual(["edit", "another edit", "timed", "start-up"]);
  });

  it("lets a key of low priority have its turn while keys of high priority keep coming", async () => {
    const { queue } = aQueue();
    queue.add("resync", "low");
    let turns = 0;
    for (let n = 0; n < 100 && turns === 0; n++) {
      queue.add(`edit-${n}`);
      queue.add(`edit-${n}-too`);
      const key = await queue.next();
      queue.done(key!);
      if (key === "resync") turns = n;
    }
    expect(turns).toBe(8);
  });

  it("lets every priority have its turn while all of them are full", async () => {
    const { queue } = aQueue();
    for (const priority of ["low", "high", "urgent"] as const) {
      for (let n = 0; n < 40; n++) queue.add(`${priority}-${n}`, priority);
    }
    const taken: string[] = [];
    for (let n = 0; n < 30; n++) taken.push((await queue.next()) ?? "");
    const counts = Map.groupBy(taken, (key) => key.slice(0, key.indexOf("-")));
    expect(counts.get("urgent")?.length).toBeGreaterThan(20);
    expect(counts.get("high")?.length).toBeGreaterThanOrEqual(3);
    expect(counts.get("low")?.length).toBeGreaterThanOrEqual(3);
  });

  it("makes an edit wait for at most one key of low priority, however many there are", async () => {
    const { queue } = aQueue();
    for (let n = 0; n < 10_000; n++) queue.add(`resync-${n}`, "low");
    for (let n = 0; n < 8; n++) queue.add(`edit-${n}`);
    await inOrder(queue, 8);
    queue.add("edit");
    expect(await inOrder(queue, 2)).toContain("edit");
  });

  it("serves all others between two turns of a key that never rests", async () => {
    const { queue } = aQueue();
    queue.add("hot");
    for (let n = 0; n < 20; n++) queue.add(`calm-${n}`);
    const served: string[] = [];
    for (let n = 0; n < 63; n++) {
      const key = (await queue.next())!;
      served.push(key);
      queue.add("hot");
      if (key !== "hot") queue.add(key);
      queue.done(key);
    }
    expect(served.filter((key) => key === "hot")).toHaveLength(3);
    expect(new Set(served.slice(0, 21)).size).toBe(21);
  });

  it("measures how long a key waited", async () => {
    const { queue, clock, waits } = aQueue();
    queue.add("a");
    await clock.advance(1500);
    await queue.next();
    expect(waits).toEqual([1.5]);
  });

  it("closes when the work in hand is done, and gives out nothing more", async () => {
    const { queue, clock } = aQueue();
    queue.add("a");
    queue.add("b");
    await queue.next();
    queue.addAfter("c", 10);
    const idle = [queue.next()];
    await idle[0];
    queue.add("late");
    let isClosed = false;
    const closing = queue.close().then(() => (isClosed = true));
    await clock.advance(100);
    expect(isClosed).toBe(false);
    queue.done("a");
    queue.done("b");
    await closing;
    expect(await queue.next()).toBeUndefined();
    expect(clock.timers).toBe(0);
  });

  it("frees idle workers when it closes", async () => {
    const { queue } = aQueue();
    const idle = queue.next();
    await queue.close();
    expect(await idle).toBeUndefined();
  });

  it("loses no add and never gives one key to two workers, in any order of events", async () => {
    const step = fc.record({
      do: fc.constantFrom("add" as const, "low" as const, "take" as const, "done" as const),
      key: fc.constantFrom("a", "b", "c"),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
        const { queue } = aQueue();
        const owed = new Set<string>();
        const inHand = new Set<string>();
        const take = async () => {
          if (queue.depth === 0) return;
          const key = await queue.next();
          if (key === undefined || inHand.has(key)) throw new Error(`${key} given out twice`);
          owed.delete(key);
          inHand.add(key);
        };
        for (const { do: what, key } of steps) {
          if (what === "take") await take();
          else if (what === "done") {
            inHand.delete(key);
            queue.done(key);
          } else {
            queue.add(key, what === "low" ? "low" : "high");
            owed.add(key);
          }
        }
        for (const key of inHand) queue.done(key);
        inHand.clear();
        while (queue.depth > 0) await take();
        expect([...owed]).toEqual([]);
      }),
    );
  });
});

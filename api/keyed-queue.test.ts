import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startKeyedQueue } from "./keyed-queue.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const settle = () => vi.advanceTimersByTimeAsync(0);

function setUp({ concurrency = 2, fails = false } = {}) {
  const started: string[] = [];
  const gates: (() => void)[] = [];
  let atOnce = 0;
  let most = 0;
  const queue = startKeyedQueue({
    concurrency,
    random: () => 1,
    onError: () => undefined,
    work: async (key) => {
      started.push(key);
      most = Math.max(most, ++atOnce);
      await new Promise<void>((resolve) => gates.push(resolve));
      atOnce -= 1;
      if (fails) throw new Error("no");
    },
  });
  return { queue, started, most: () => most, release: () => gates.splice(0).forEach((open) => open()) };
}

describe("a keyed queue", () => {
  test("works on each key once at a time, and again when it was added meanwhile", async () => {
    const { queue, started, release } = setUp();
    queue.add("a");
    queue.add("a");
    queue.add("a");
    expect(started).toEqual(["a"]);
    release();
    await settle();
    expect(started).toEqual(["a", "a"]);
    release();
    await settle();
    expect(started).toEqual(["a", "a"]);
    expect(queue.size()).toBe(0);
  });

  test("works on no more keys at once than it may", async () => {
    const { queue, started, most, release } = setUp({ concurrency: 2 });
    for (const key of ["a", "b", "c", "d"]) queue.add(key);
    expect(started).toEqual(["a", "b"]);
    release();
    await settle();
    release();
    await settle();
    expect(started).toEqual(["a", "b", "c", "d"]);
    expect(most()).toBe(2);
  });

  test("tries a failed key again after a growing pause, which adding does not cut short", async () => {
    const { queue, started, release } = setUp({ fails: true });
    queue.add("a");
    release();
    await settle();
    queue.add("a");
    expect(started).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(249);
    expect(started).toHaveLength(1);
    await vi.advanceTimersByTimeAsync(1);
    expect(started).toHaveLength(2);
    release();
    await vi.advanceTimersByTimeAsync(499);
    expect(started).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(1);
    expect(started).toHaveLength(3);
  });

  test("closes when its work has ended, and starts nothing more", async () => {
    const { queue, started, release } = setUp({ concurrency: 1 });
    queue.add("a");
    queue.add("b");
    let closed = false;
    const closing = queue.close().then(() => (closed = true));
    await settle();
    expect(closed).toBe(false);
    release();
    await closing;
    queue.add("c");
    expect(started).toEqual(["a"]);
  });
});

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { retryDelaySeconds, startLoop } from "./loop.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe("a loop", () => {
  test("runs at once, then at every wake and every interval", async () => {
    let runs = 0;
    const run = async () => void (runs += 1);
    const loop = startLoop({ run, everySeconds: 5, onError: () => undefined, random: () => 1 });
    await vi.advanceTimersByTimeAsync(0);
    expect(runs).toBe(1);
    loop.wake();
    await vi.advanceTimersByTimeAsync(0);
    expect(runs).toBe(2);
    await vi.advanceTimersByTimeAsync(5000);
    expect(runs).toBe(3);
    await loop.close();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(runs).toBe(3);
  });

  test("runs once more when it is woken during a run", async () => {
    let runs = 0;
    const gate = Promise.withResolvers<void>();
    const run = async () => {
      runs += 1;
      if (runs === 1) await gate.promise;
    };
    const loop = startLoop({ run, everySeconds: 5, onError: () => undefined, random: () => 1 });
    loop.wake();
    loop.wake();
    gate.resolve();
    await vi.advanceTimersByTimeAsync(0);
    expect(runs).toBe(2);
    await loop.close();
  });

  test("backs off after failures, whatever wakes it", async () => {
    let runs = 0;
    const errors: unknown[] = [];
    const run = async () => {
      runs += 1;
      throw new Error("no");
    };
    const loop = startLoop({ run, everySeconds: 0, onError: (error) => errors.push(error), random: () => 1 });
    await vi.advanceTimersByTimeAsync(0);
    expect(runs).toBe(1);
    await vi.advanceTimersByTimeAsync(250);
    expect(runs).toBe(2);
    await vi.advanceTimersByTimeAsync(499);
    expect(runs).toBe(2);
    await loop.close();
    expect(errors).toHaveLength(2);
  });

  test("does not count a failure that comes after a long time of work", async () => {
    let runs = 0;
    const run = async () => {
      runs += 1;
      await new Promise((resolve) => setTimeout(resolve, 11_000));
      throw new Error("cut");
    };
    const loop = startLoop({ run, everySeconds: 0, onError: () => undefined, random: () => 1 });
    await vi.advanceTimersByTimeAsync(4 * 11_250);
    expect(runs).toBe(5);
    const closed = loop.close();
    await vi.advanceTimersByTimeAsync(11_000);
    await closed;
  });

  test("waits between half of the delay and all of it, and never longer than its limit", () => {
    expect(retryDelaySeconds(1, () => 0)).toBe(0.125);
    expect(retryDelaySeconds(1, () => 1)).toBe(0.25);
    expect(retryDelaySeconds(50, () => 1)).toBe(10);
  });
});

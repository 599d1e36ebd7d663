import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OpalQueue } from "#crds/opalqueue.ts";
import { accrued, type GpuSpan, hasNews, queueStateOf } from "./usage-account.ts";

const MIDNIGHT_MS = Date.parse("2026-01-02T00:00:00Z");
const HALF_LIFE_SECONDS = 3600;
const clock = (nowMs: number) => ({ nowMs, halfLifeSeconds: HALF_LIFE_SECONDS });

function aQueue(usage?: object, spec: object = { budget: { gpuSeconds: 1000 } }): OpalQueue {
  return OpalQueue.parse({
    metadata: { name: "shop", uid: "u", resourceVersion: "1", creationTimestamp: "2026-01-01T12:00:00Z" },
    spec,
    status: usage ? { usage } : {},
  });
}

const span = (startMs: number, endMs: number | undefined, gpuClass = "t4"): GpuSpan => ({
  queue: "shop",
  gpuClass,
  startMs,
  endMs,
});

describe("a queue's account", () => {
  it("counts a pod that runs on, and one that has ended, each for the time that it had its GPU", () => {
    const spans = [span(MIDNIGHT_MS + 1000, MIDNIGHT_MS + 4000), span(MIDNIGHT_MS + 2000, undefined, "a100")];
    const { windowGpuSeconds, classes } = accrued(aQueue(), spans, clock(MIDNIGHT_MS + 10_000));
    expect(windowGpuSeconds).toBe(3 + 8);
    expect(classes.map((one) => [one.class, Math.round(one.decayedGpuSeconds)])).toEqual([
      ["a100", 8],
      ["t4", 3],
    ]);
  });

  it("begins each window with nothing, and counts a pod in each window for its part", () => {
    const spans = [span(MIDNIGHT_MS - 100_000, MIDNIGHT_MS + 5000)];
    expect(accrued(aQueue(), spans, clock(MIDNIGHT_MS - 1000)).windowGpuSeconds).toBe(99);
    expect(accrued(aQueue(), spans, clock(MIDNIGHT_MS + 60_000)).windowGpuSeconds).toBe(5);
  });

  it("halves what is old", () => {
    const usage = {
      at: new Date(MIDNIGHT_MS).toISOString(),
      classes: [{ class: "t4", decayedGpuSeconds: 800 }],
      windowGpuSeconds: 0,
    };
    const later = MIDNIGHT_MS + 2 * HALF_LIFE_SECONDS * 1000;
    expect(queueStateOf(aQueue(usage), [], clock(later)).usage).toEqual([
      { gpuClass: "t4", gpuSeconds: 200, atMs: later },
    ]);
  });

  it("has no news when all pods ended before it was written", () => {
    const usage = { at: new Date(MIDNIGHT_MS).toISOString(), classes: [], windowGpuSeconds: 0 };
    expect(hasNews(aQueue(usage), [span(MIDNIGHT_MS - 5000, MIDNIGHT_MS)])).toBe(false);
    expect(hasNews(aQueue(usage), [span(MIDNIGHT_MS - 5000, MIDNIGHT_MS + 1)])).toBe(true);
  });

  it("is the same whenever and however often it is written down: exact against the pods' run time", () => {
    const somePods = fc.array(fc.record({ startMs: fc.nat(100_000), lengthMs: fc.nat(100_000) }), {
      maxLength: 8,
    });
    const writeTimes = fc.array(fc.nat(250_000), { maxLength: 6 });
    fc.assert(
      fc.property(somePods, writeTimes, (pods, times) => {
        const spans = pods.map(({ startMs, lengthMs }) =>
          span(MIDNIGHT_MS + startMs, MIDNIGHT_MS + startMs + lengthMs),
        );
        const endMs = MIDNIGHT_MS + 250_000;
        let queue = aQueue();
        for (const time of [...times].sort((a, b) => a - b)) {
          // A process sees only pods that have started by then, and writes what it knows.
          const nowMs = MIDNIGHT_MS + time;
          const known = spans.filter(({ startMs }) => startMs <= nowMs);
          queue = aQueue(accrued(queue, known, clock(nowMs)));
        }
        const often = accrued(queue, spans, clock(endMs));
        const once = accrued(aQueue(), spans, clock(endMs));
        const total = pods.reduce((sum, { lengthMs }) => sum + lengthMs, 0) / 1000;
        expect(often.windowGpuSeconds).toBeCloseTo(total, 2);
        for (const [at, one] of once.classes.entries()) {
          expect(often.classes[at]?.decayedGpuSeconds).toBeCloseTo(one.decayedGpuSeconds, 1);
        }
      }),
    );
  });
});

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatRanges } from "#crds/item-ranges.ts";
import type { ShardProgress } from "#crds/runner-report.ts";
import type { Usage } from "./observed.ts";
import { aPod, aVerdict, START_MS } from "./testing.ts";
import { ownPart } from "./turns.ts";
import { addUsage, NO_USAGE, usageOfPod } from "./usage.ts";

const aProgress = (changes: Partial<ShardProgress>): ShardProgress => ({
  v: 1,
  done: "",
  failed: "",
  stages: { segment: 0, place: 0, upscale: 0 },
  gpuSeconds: 0,
  ...changes,
});

/** Three members: item 4, items 0 and 7, item 2. */
const seats = [
  { items: [4], firstSlot: 0 },
  { items: [0, 7], firstSlot: 1 },
  { items: [2], firstSlot: 3 },
];
const seconds = (ms: number | undefined) => (ms === undefined ? undefined : (ms - START_MS) / 1000);
const seen = (pod: Parameters<typeof ownPart>[0]) =>
  seats.map((seat) => {
    const { phase, startedAtMs, finishedAtMs, verdict, progress } = ownPart(pod, seat, 4);
    const { done, failed } = verdict ?? progress ?? {};
    return { phase, from: seconds(startedAtMs), to: seconds(finishedAtMs), done, failed };
  });

describe("a shared pod, as each member sees it", () => {
  it("has ended for who is through, runs for whose turn it is, and has not begun for the others", () => {
    const pod = aPod({
      progress: aProgress({
        done: "0-1",
        current: { index: 2, item: "x", stage: "place" },
        turns: [
          [0, 5],
          [1, 8],
        ],
      }),
    });
    expect(seen(pod)).toEqual([
      { phase: "Succeeded", from: 0, to: 5, done: "4", failed: [] },
      { phase: "Running", from: 5, to: undefined, done: "0", failed: "" },
      { phase: "Pending", from: undefined, to: undefined, done: "", failed: "" },
    ]);
    expect(ownPart(pod, seats[1]!, 4).progress).toMatchObject({
      current: { index: 7 },
      stages: { segment: 2, place: 1, upscale: 1 },
    });
  });

  it("says why an item failed before the others have ended", () => {
    const failures = [{ index: 0, id: "a", class: "bad-input" as const, message: "no picture" }];
    const [first] = seen(aPod({ progress: aProgress({ failed: "0", failures, turns: [[0, 5]] }) }));
    expect(first).toMatchObject({ phase: "Succeeded", failed: [{ ...failures[0], index: 4 }] });
  });

  it("ends with the pod for the last, and for who has no word when it dies", () => {
    const turns: [number, number][] = [
      [0, 5],
      [1, 8],
      [2, 9],
    ];
    const dead = aPod({
      phase: "Failed",
      finishedAtMs: START_MS + 20_000,
      progress: aProgress({ done: "0-2", turns }),
    });
    expect(seen(dead).map(({ phase, from, to }) => [phase, from, to])).toEqual([
      ["Succeeded", 0, 5],
      ["Succeeded", 5, 9],
      ["Failed", 9, 20],
    ]);
  });

  it("was begun by the first who had something left to do, when others were done before", () => {
    const pod = aPod({ progress: aProgress({ done: "0-2", turns: [[2, 6]] }) });
    expect(seen(pod).map(({ phase, from, to }) => [phase, from, to])).toEqual([
      ["Succeeded", 0, 0],
      ["Succeeded", 0, 6],
      ["Running", 6, undefined],
    ]);
  });

  it("does not trust what a runner says", () => {
    const pod = aPod({ verdict: aVerdict({ done: "no ranges" }), progress: aProgress({ done: "7-3" }) });
    expect(seen(pod).map(({ done }) => done)).toEqual(["", "", ""]);
  });

  it("adds up to what it has used, whenever one looks and however it ended", () => {
    const aShard = fc.record({
      sizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 6 }),
      words: fc.nat(18),
      found: fc.nat(18),
      times: fc.array(fc.double({ min: 0, max: 30, noNaN: true }), { minLength: 18, maxLength: 18 }),
      end: fc.constantFrom("runs", "succeeded", "died", "gave its word and died"),
      length: fc.double({ min: 0, max: 600, noNaN: true }),
    });
    fc.assert(
      fc.property(aShard, ({ sizes, words, found, times, end, length }) => {
        const slots = sizes.reduce((sum, size) => sum + size, 0);
        const said = end === "succeeded" ? slots : Math.min(words, slots);
        let at = 0;
        const turns = Array.from({ length: said }, (_, slot): [number, number] => [
          slot,
          (at += times[slot] ?? 0),
        ]);
        const report = {
          done: formatRanges(Array.from({ length: said }, (_, slot) => slot)),
          turns: turns.slice(Math.min(found, said)),
        };
        const hasVerdict = end === "succeeded" || end === "gave its word and died";
        const pod = aPod({
          phase: end === "runs" ? "Running" : end === "succeeded" ? "Succeeded" : "Failed",
          ...(end !== "runs" && { finishedAtMs: START_MS + length * 1000 }),
          progress: aProgress({ ...report, gpuSeconds: at / 2 }),
          ...(hasVerdict && { verdict: aVerdict({ ...report, coldStartSeconds: 3, wastedGpuSeconds: 2 }) }),
        });
        const nowMs = START_MS + Math.max(at, 600) * 1000;
        let firstSlot = 0;
        let sum: Usage = NO_USAGE;
        for (const size of sizes) {
          const items = Array.from({ length: size }, (_, item) => item);
          sum = addUsage(sum, usageOfPod(ownPart(pod, { items, firstSlot }, slots), nowMs, 3.6));
          firstSlot += size;
        }
        const whole = usageOfPod(pod, nowMs, 3.6);
        expect(sum.gpuSeconds).toBeCloseTo(whole.gpuSeconds, 6);
        expect(sum.cost).toBeCloseTo(whole.cost, 6);
        expect(sum.coldStartSeconds).toBeCloseTo(whole.coldStartSeconds, 6);
        if (hasVerdict) expect(sum.wastedGpuSeconds).toBeCloseTo(whole.wastedGpuSeconds, 6);
        else expect(sum.wastedGpuSeconds).toBeLessThanOrEqual(whole.wastedGpuSeconds + 1e-6);
      }),
    );
  });
});

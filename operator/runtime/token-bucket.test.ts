import { expect, it } from "vitest";
import { backoffMs } from "./backoff.ts";
import { createFakeClock } from "./testing.ts";
import { createTokenBucket } from "./token-bucket.ts";

it("lets a burst through at once and the rest at the rate, in order", async () => {
  const clock = createFakeClock();
  const bucket = createTokenBucket({ perSecond: 10, burst: 3 }, clock);
  const served: number[] = [];
  for (let n = 0; n < 6; n++) void bucket.take().then(() => served.push(n));
  await clock.advance(0);
  expect(served).toEqual([0, 1, 2]);
  await clock.advance(100);
  expect(served).toEqual([0, 1, 2, 3]);
  await clock.advance(200);
  expect(served).toEqual([0, 1, 2, 3, 4, 5]);
});

it("saves up no more than the burst", async () => {
  const clock = createFakeClock();
  const bucket = createTokenBucket({ perSecond: 10, burst: 2 }, clock);
  await clock.advance(60_000);
  let served = 0;
  for (let n = 0; n < 5; n++) void bucket.take().then(() => served++);
  await clock.advance(0);
  expect(served).toBe(2);
});

it.each([
  { failures: 1, random: 0, want: 50 },
  { failures: 1, random: 0.999, want: 100 },
  { failures: 3, random: 0, want: 200 },
  { failures: 99, random: 0.5, want: 7500 },
])("backs off $want ms after $failures failures", ({ failures, random, want }) => {
  expect(Math.round(backoffMs(failures, { baseMs: 100, maxMs: 10_000 }, random))).toBe(want);
});

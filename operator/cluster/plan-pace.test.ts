import { expect, it } from "vitest";
import { createPlanPace } from "./plan-pace.ts";

/** A plan that took so long, and the wait for the next one at its end. */
function waitAfter(tookMs: number): number {
  let nowMs = 1000;
  const pace = createPlanPace({ clock: { monotonicMs: () => nowMs }, minIntervalMs: 50 });
  expect(pace.waitMs()).toBeLessThanOrEqual(0);
  pace.begin();
  nowMs += tookMs;
  pace.end();
  return pace.waitMs();
}

it.each([
  { name: "one at once when there is nothing to it", tookMs: 0, want: 50 },
  { name: "a quick one, at the shortest interval", tookMs: 2, want: 48 },
  { name: "one of milliseconds, so that planning takes a twentieth of the time", tookMs: 10, want: 190 },
  { name: "a long one, without leaving GPUs free for long", tookMs: 200, want: 300 },
])("waits after $name", ({ tookMs, want }) => {
  expect(waitAfter(tookMs)).toBe(want);
});

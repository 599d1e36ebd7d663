import { expect, it } from "vitest";
import { MAX_SPEEDS } from "#crds/gpupool.ts";
import { learn, type Measurement, speedsOf } from "./learn-speed.ts";

const took = (seconds: number, finishedAtMs: number, workload = "place"): Measurement => ({
  workload,
  images: 1,
  seconds,
  finishedAtMs,
});

it("learns from each pod once, whoever reads it again", () => {
  const first = learn({}, [took(4, 1000)]);
  expect(first).toEqual({
    speeds: [{ workload: "place", seconds: 4, deviation: 1, images: 1 }],
    learnedAt: "1970-01-01T00:00:01.000Z",
  });
  expect(learn(first, [took(4, 1000)])).toEqual(first);
});

it("comes to the speed that pods really have, also when that changes", () => {
  let known = learn({}, [took(100, 1)]);
  for (let n = 2; n < 60; n++) known = learn(known, [took(n % 2 === 0 ? 9 : 11, n * 1000)]);
  const { p50, p90 } = speedsOf(known)["place"] ?? { p50: 0, p90: 0 };
  expect(p50).toBeGreaterThan(9);
  expect(p50).toBeLessThan(11.5);
  expect(p90).toBeGreaterThan(p50);
});

it("forgets the kind of work that was measured longest ago", () => {
  let known = learn({}, []);
  for (let n = 0; n <= MAX_SPEEDS; n++) known = learn(known, [took(1, (n + 1) * 1000, `work-${n}`)]);
  expect(known.speeds).toHaveLength(MAX_SPEEDS);
  expect(speedsOf(known)).not.toHaveProperty("work-0");
});

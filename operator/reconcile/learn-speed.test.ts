import { expect, it } from "vitest";
import { MAX_SPEEDS } from "#crds/gpupool.ts";
import { learn, type Measurement, speedsOf, type StageMeasurement } from "./learn-speed.ts";

const took = (seconds: number, finishedAtMs: number, workload = "place"): Measurement => ({
  workload,
  images: 1,
  seconds,
  stages: [],
  finishedAtMs,
});
const staged = (finishedAtMs: number, images: number, ...stages: StageMeasurement[]): Measurement => ({
  ...took(9, finishedAtMs, stages.map(({ stage }) => stage).join("+")),
  images,
  stages,
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

it("learns each stage by itself, from the pictures that the pod took through it", () => {
  const segment = { stage: "segment", images: 2, seconds: 4 };
  const first = learn({}, [staged(1000, 3, segment, { stage: "place-studio", images: 3, seconds: 3 })]);
  expect(first.stageSpeeds).toEqual([
    { stage: "segment", seconds: 2, deviation: 0.5, images: 2 },
    { stage: "place-studio", seconds: 1, deviation: 0.25, images: 3 },
  ]);
  const then = learn(first, [staged(2000, 2, { ...segment, seconds: 8 })]);
  expect(then.stageSpeeds?.map(({ stage, seconds }) => [stage, seconds])).toEqual([
    ["place-studio", 1],
    ["segment", 3],
  ]);
});

it("learns stages of a pod that finished no picture", () => {
  const known = learn({}, [staged(1000, 0, { stage: "segment", images: 1, seconds: 2 })]);
  expect(known).toMatchObject({ stageSpeeds: [{ stage: "segment" }], learnedAt: "1970-01-01T00:00:01.000Z" });
  expect(known.speeds).toBeUndefined();
});

it("knows a workload of one stage by what it takes in all", () => {
  const known = learn({}, [staged(1000, 1, { stage: "segment", images: 1, seconds: 2 })]);
  expect(speedsOf(known)["segment"]?.p50).toBe(9);
});

import { expect, test } from "vitest";
import type { Write } from "./audit.ts";
import { figuresOf, largeFigures, ratiosOf } from "./figures.ts";
import type { Round } from "./round.ts";

const JOBS = 10;

const writes = (user: string, count: number): Write[] =>
  Array.from({ length: count }, () => ({ user, verb: "create", resource: "jobs" }));

function aRound(wallSeconds: number, more: Partial<Round> = {}): Round {
  return {
    wallSeconds,
    writes: writes("kubelet", 30),
    managerUser: undefined,
    managerCpuSeconds: 0,
    managerPeakMegabytes: 0,
    clusterCpuSeconds: 5,
    steps: [],
    idleMs: [100],
    ...more,
  };
}

const aManagedRound = (wallSeconds: number, count: number) =>
  aRound(wallSeconds, { managerUser: "manager", writes: writes("manager", count) });

test("takes the middle of the rounds, and says how far they lie apart", () => {
  const figures = figuresOf("plain", [aRound(4), aRound(9), aRound(5)], JOBS);
  expect(figures).toMatchObject({ plain_wall_seconds: 5, plain_wall_spread_seconds: 5, plain_rounds: 3 });
  expect(figures).not.toHaveProperty("plain_manager_writes_per_job");
});

test("compares walls, and writes of the managers alone", () => {
  const figures = {
    ...figuresOf("opal", [aManagedRound(6, 20)], JOBS),
    ...figuresOf("kueue", [aManagedRound(24, 100)], JOBS),
    ...figuresOf("plain", [aRound(8)], JOBS),
  };
  expect(ratiosOf(figures).map(({ name, value }) => [name, value])).toEqual([
    ["ratio_kueue_wall", 0.25],
    ["ratio_kueue_writes", 0.2],
    ["ratio_plain_wall", 0.75],
  ]);
});

test("says nothing of who was not measured", () => {
  expect(ratiosOf(figuresOf("opal", [aManagedRound(6, 20)], JOBS))).toEqual([]);
});

test("counts objects without events and subresources", () => {
  const round = aRound(2, {
    writes: [
      { user: "a", verb: "create", resource: "pods" },
      { user: "a", verb: "create", resource: "pods/binding" },
      { user: "a", verb: "create", resource: "events" },
      { user: "a", verb: "patch", resource: "pods" },
    ],
    steps: [{ ended_to_told: 500 }, { ended_to_told: 1500 }],
  });
  expect(largeFigures(round, 1)).toMatchObject({
    large_objects_per_job: 1,
    large_writes_per_job: 4,
    large_told_p50_seconds: 1,
    large_jobs_per_second: 0.5,
  });
});

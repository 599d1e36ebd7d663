import { expect, it } from "vitest";
import { parse } from "yaml";
import { readLoad } from "./load.ts";

const GENERATOR = `
cohorts:
- className: cohort
  count: 2
  queuesSets:
  - className: cq
    count: 3
    nominalQuota: 20
    borrowingLimit: 100
    reclaimWithinCohort: Any
    workloadsSets:
    - count: 50
      creationIntervalMs: 100
      workloads:
      - {className: small, runtimeMs: 200, priority: 50, request: 1}
    - count: 4
      creationIntervalMs: 1200
      workloads:
      - {className: large, runtimeMs: 1000, priority: 200, request: 20}
`;

it("makes every queue of every cohort, with the jobs of its sets", () => {
  const { queues, jobs } = readLoad(GENERATOR, 1);
  expect(queues.map(({ name }) => name)).toEqual([
    "cq-0-0-cohort-0",
    "cq-0-1-cohort-0",
    "cq-0-2-cohort-0",
    "cq-0-0-cohort-1",
    "cq-0-1-cohort-1",
    "cq-0-2-cohort-1",
  ]);
  expect(queues[5]).toMatchObject({ cohort: "cohort-1", nominal: 20, borrowingLimit: 100 });
  expect(queues[0]?.sets[1]).toEqual({
    className: "large",
    count: 4,
    intervalMs: 1200,
    gpus: 20,
    runMs: 1000,
    priority: 200,
  });
  expect(jobs).toBe(6 * 54);
});

it("takes a fraction of the jobs, one of each set at least, and tells Kueue's runner the same", () => {
  const { jobs, generator } = readLoad(GENERATOR, 0.1);
  expect(jobs).toBe(6 * 6);
  expect(parse(generator)).toMatchObject({
    cohorts: [{ queuesSets: [{ reclaimWithinCohort: "Any", workloadsSets: [{ count: 5 }, { count: 1 }] }] }],
  });
});

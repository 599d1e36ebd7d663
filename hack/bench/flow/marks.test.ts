import { beforeEach, expect, test } from "vitest";
import { createMarks, type Marks, stepQuantiles } from "./marks.ts";

let nowMs: number;
let marks: Marks;

beforeEach(() => {
  nowMs = 0;
  marks = createMarks(() => nowMs);
});

const aJob = (name: string, type?: string) => ({
  metadata: { name },
  status: type === undefined ? {} : { conditions: [{ type, status: "True" }] },
});
const aChild = (name: string, ...owners: string[]) => ({
  metadata: { name, ownerReferences: owners.map((owner) => ({ name: owner })) },
});
const aPod = (job: string, phase: string, nodeName?: string) => ({
  metadata: { name: `${job}-pod`, labels: { "batch.kubernetes.io/job-name": job } },
  spec: { nodeName },
  status: { phase },
});
const at = (ms: number, happens: () => unknown) => {
  nowMs = ms;
  happens();
};

test("cuts a job's way into steps, from its creation to its end", () => {
  at(10, () => marks.created("a"));
  at(30, () => marks.child(aChild("a-1", "a")));
  at(40, () => marks.pod(aPod("a-1", "Pending")));
  at(45, () => marks.pod(aPod("a-1", "Pending", "gpu-0")));
  at(60, () => marks.pod(aPod("a-1", "Running", "gpu-0")));
  at(90, () => marks.pod(aPod("a-1", "Succeeded", "gpu-0")));
  at(100, () => marks.job(aJob("a", "Complete")));
  expect(marks.steps()).toEqual([
    {
      created_to_child: 20,
      child_to_pod: 10,
      pod_to_placed: 5,
      placed_to_running: 15,
      running_to_ended: 30,
      ended_to_told: 10,
    },
  ]);
});

test("counts a shared child for each of its owners, and only those that were created here", () => {
  at(0, () => marks.created("a"));
  at(5, () => marks.created("b"));
  at(20, () => marks.child(aChild("a-1", "a", "b", "warm-up")));
  at(30, () => marks.pod(aPod("a-1", "Succeeded", "gpu-0")));
  for (const name of ["a", "b", "warm-up"]) at(40, () => marks.job(aJob(name, "Complete")));
  expect(marks.steps().map((steps) => steps.created_to_child)).toEqual([20, 15]);
  expect(stepQuantiles(marks.steps(), 0.5).created_to_child).toBe(17.5);
});

test("tells how long a GPU stands empty between two pods", () => {
  at(0, () => marks.pod(aPod("warm-up", "Succeeded", "gpu-0")));
  for (const [job, startMs, endMs] of [
    ["a", 0, 10],
    ["b", 0, 20],
    ["c", 13, 30],
    ["d", 27, 40],
  ] as const) {
    at(startMs, () => marks.created(job));
    at(startMs, () => marks.child(aChild(job)));
    at(startMs, () => marks.pod(aPod(job, "Running", "gpu-0")));
    at(endMs, () => marks.pod(aPod(job, "Succeeded", "gpu-0")));
  }
  expect(marks.idleMs(2)).toEqual([3, 7]);
});

test("says whether a job is over, and does not measure failures", () => {
  expect(marks.job(aJob("a"))).toEqual({ name: "a", isOver: false });
  expect(marks.job(aJob("a", "Complete"))).toEqual({ name: "a", isOver: true });
  expect(() => marks.job(aJob("a", "Failed"))).toThrow("a has failed");
});

import { isFinished } from "#crds/conditions.ts";
import { expect, it } from "vitest";
import { isOut } from "../reconcile/job-state.ts";
import { anOpalJob } from "../reconcile/testing.ts";
import { withoutRecordIfEnded } from "./ended-job.ts";
import { createFakeCluster, createFakeOperator } from "./testing.ts";

const ended = (name: string, type: "Complete" | "Failed", second: number) =>
  anOpalJob({
    metadata: { name },
    spec: { ttlSecondsAfterFinished: 60 },
    status: {
      phase: type,
      attempts: 2,
      completionTime: `2026-01-01T12:00:0${second}.000Z`,
      conditions: [
        { type: "Queued", status: "False", reason: "NotWaiting", message: "", lastTransitionTime: at(0) },
        { type, status: "True", reason: "Why", message: `At ${second}`, lastTransitionTime: at(second) },
      ],
    },
  });
const at = (second: number) => `2026-01-01T12:00:0${second}Z`;

it("keeps of an ended job that it has ended, when, and what was asked for all its items", () => {
  for (const type of ["Complete", "Failed"] as const) {
    const before = ended("cups", type, 1);
    const kept = withoutRecordIfEnded(before);
    expect(isFinished(kept.status.conditions ?? [])).toBe(true);
    expect(isOut(kept)).toBe(true);
    expect(kept.metadata).toBe(before.metadata);
    expect(kept.spec).toEqual({ ...before.spec, items: undefined });
    const { attempts, completionTime } = before.status;
    expect(kept.status).toMatchObject({ attempts, completionTime });
  }
});

it("keeps what ended jobs have in common once", () => {
  const [one, other] = [1, 2].map((second) =>
    withoutRecordIfEnded(ended(`job-${second}`, "Complete", second)),
  );
  expect(other?.spec).toBe(one?.spec);
  expect(other?.status.conditions).toBe(one?.status.conditions);
});

it("leaves a job alone that goes on", () => {
  const job = anOpalJob({
    status: {
      conditions: [
        { type: "Complete", status: "False", reason: "NotYet", message: "", lastTransitionTime: at(0) },
      ],
    },
  });
  expect(withoutRecordIfEnded(job)).toBe(job);
});

it("nothing is remembered of a job that has ended", async () => {
  const cluster = createFakeCluster(() => "done");
  await cluster.addPool("sim");
  await cluster.addQueue("default");
  const items = [{ id: "cup", source: "raw/shop/cup.jpg" }];
  await cluster.applyOpalJob("cups", { tenant: "shop", items, brand: { placement: "studio" } });
  const operator = createFakeOperator(cluster);
  await operator.passAll();
  expect(operator.memory.jobs.size).toBe(1);
  for (let step = 0; step < 5; step++) {
    await cluster.step();
    await operator.passAll();
  }
  expect(cluster.api.all("opaljobs").map(({ status }) => status?.["phase"])).toEqual(["Complete"]);
  expect(operator.memory.jobs.size).toBe(0);
});

import { describe, expect, it } from "vitest";
import { OpalQueue, OpalQueueStatus } from "#crds/opalqueue.ts";
import type { QueuePlan } from "../schedule/plan.ts";
import { nextQueueStatus, type QueueSight } from "./queue-status.ts";
import { START_MS } from "./testing.ts";

const at = (seconds: number) => new Date(START_MS + seconds * 1000);
const clock = (seconds: number) => ({ now: at(seconds), halfLifeSeconds: 3600 });

function aQueue(status: object = {}): OpalQueue {
  return OpalQueue.parse({
    metadata: { name: "shop", uid: "u", resourceVersion: "1", creationTimestamp: at(0).toISOString() },
    spec: { budget: { gpuSeconds: 100 } },
    status,
  });
}

const plan: QueuePlan = {
  pending: 2,
  admitted: 1,
  inUse: { t4: 3, a100: 1, l40: 0 },
  borrowed: { t4: 2 },
  share: 0.374,
  weightedShare: 0.1,
  budgetLeftGpuSeconds: 40.7,
  reservedGpuSeconds: 10,
};

const aSight = (changes: Partial<QueueSight> = {}): QueueSight => ({
  queue: aQueue(),
  plan,
  spans: [],
  ...changes,
});

describe("a queue's status", () => {
  it("tells its jobs, its GPUs by class and how many of them are borrowed, its share and its budget", () => {
    const status = nextQueueStatus(aSight(), clock(0));
    expect(status).toMatchObject({
      pending: 2,
      admitted: 1,
      gpus: 4,
      classes: [
        { class: "a100", held: 1, borrowed: 0 },
        { class: "t4", held: 3, borrowed: 2 },
      ],
      share: "37 %",
      budgetLeft: 40,
    });
    expect(OpalQueueStatus.parse(status)).toEqual(status);
  });

  it.each([
    { left: 40, want: "True AcceptingJobs", shown: 40 },
    { left: 0, want: "False BudgetExhausted", shown: 0 },
    { left: -3.2, want: "False BudgetExhausted", shown: 0 },
    { left: undefined, want: "True AcceptingJobs", shown: undefined },
  ])("with $left GPU-seconds left is $want", ({ left, want, shown }) => {
    const seen = aSight({ plan: { ...plan, budgetLeftGpuSeconds: left } });
    const { conditions, budgetLeft } = nextQueueStatus(seen, clock(0));
    expect(`${conditions?.[0]?.status} ${conditions?.[0]?.reason}`).toBe(want);
    expect(budgetLeft).toBe(shown);
  });

  it("says until when a budget that is used up stays so", () => {
    const seen = aSight({ plan: { ...plan, budgetLeftGpuSeconds: 0 } });
    expect(nextQueueStatus(seen, clock(0)).conditions?.[0]?.message).toBe(
      "The 100 GPU-seconds of the window until 2026-01-02 00:00 UTC are used or promised.",
    );
  });

  it("claims nothing before the first plan", () => {
    const status = nextQueueStatus(aSight({ plan: undefined }), clock(0));
    expect(Object.keys(status).sort()).toEqual(["conditions", "observedGeneration"]);
  });

  it("writes its account when pods have used GPU time since, and leaves it alone otherwise", () => {
    const spans = [{ queue: "shop", gpuClass: "t4", startMs: START_MS, endMs: START_MS + 5000 }];
    const first = nextQueueStatus(aSight({ spans }), clock(10));
    expect(first.usage).toMatchObject({ at: at(10).toISOString(), windowGpuSeconds: 5 });
    const queue = aQueue(first);
    expect(nextQueueStatus(aSight({ queue, spans }), clock(60))).toEqual(first);
    const running = [{ ...spans[0]!, endMs: undefined }];
    expect(nextQueueStatus(aSight({ queue, spans: running }), clock(60)).usage?.windowGpuSeconds).toBe(55);
  });

  it("changes the time of its condition only with its status", () => {
    const queue = aQueue(nextQueueStatus(aSight(), clock(0)));
    const since = (seen: QueueSight) => nextQueueStatus(seen, clock(60)).conditions?.[0]?.lastTransitionTime;
    expect(since(aSight({ queue }))).toBe(at(0).toISOString());
    const exhausted = { ...plan, budgetLeftGpuSeconds: 0 };
    expect(since(aSight({ queue, plan: exhausted }))).toBe(at(60).toISOString());
  });
});

import { describe, expect, it } from "vitest";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import type { Decision } from "./decision.ts";
import { decide, RULES } from "./decide.ts";
import type { Observed } from "./observed.ts";
import {
  aChild,
  aPool,
  admittedTo,
  anObserved,
  anOpalJob,
  aPod,
  aVerdict,
  settings,
  START_MS,
  waitingFor,
} from "./testing.ts";
import { NO_USAGE } from "./usage.ts";

const MINUTE_MS = START_MS + 60_000;

const finishedStatus = {
  conditions: [
    {
      type: "Complete",
      status: "True",
      reason: "AllItemsDone",
      message: "",
      lastTransitionTime: "2026-01-01T12:00:30Z",
    },
  ],
};
const running = aChild({ pods: [aPod()] });
const progress = {
  v: 1 as const,
  done: "0",
  failed: "",
  stages: { segment: 1, place: 1, upscale: 1 },
  gpuSeconds: 1,
};
const donePod = aPod({ phase: "Succeeded", exitCode: 0, verdict: aVerdict({ done: "0" }) });

/** What was decided, in short. */
function inShort({ action, verdict }: Decision): string {
  const target =
    action.do === "launch"
      ? ` ${action.manifest.metadata.name} ${JSON.stringify(action.attempt.items)}/${action.attempt.shardSize} on ${action.manifest.spec.parallelism}`
      : action.do === "resize"
        ? ` to ${action.parallelism}`
        : "";
  return `${action.do}${target}${verdict ? ` ${verdict.type} ${verdict.reason}` : ""}`;
}

describe("decide", () => {
  it.each<{ name: string; seen: Observed; want: string }>([
    {
      name: "launches the first attempt of a new job that has GPUs",
      seen: anObserved(),
      want: "launch coffee-1 [0]/1 on 1",
    },
    {
      name: "cuts shards so that all GPUs of the job can be used",
      seen: anObserved({
        job: anOpalJob({ items: 6, spec: { gpu: { maxGpus: 3 } } }),
        placement: admittedTo("sim", 2),
      }),
      want: "launch coffee-1 [0,1,2,3,4,5]/2 on 2",
    },
    { name: "waits without GPUs", seen: anObserved({ placement: waitingFor }), want: "nothing" },
    { name: "waits while pods work", seen: anObserved({ children: [running] }), want: "nothing" },
    {
      name: "numbers an attempt after the last that the status knows, though its child is gone",
      seen: anObserved({ job: anOpalJob({ status: { attempts: 3 } }) }),
      want: "launch coffee-4 [0]/1 on 1",
    },
    {
      name: "numbers an attempt after the last child, though the status was not written",
      seen: anObserved({
        children: [
          aChild({
            attempt: 2,
            isEnded: true,
            pods: [
              aPod({
                phase: "Succeeded",
                exitCode: 0,
                verdict: aVerdict({ failed: [{ index: 0, id: "item-0", class: "storage", message: "" }] }),
              }),
            ],
          }),
        ],
      }),
      want: "launch coffee-3 [0]/1 on 1",
    },
    {
      name: "completes when every item is done",
      seen: anObserved({ children: [aChild({ pods: [donePod] })] }),
      want: "nothing Complete AllItemsDone",
    },
    {
      name: "waits for the verdict though progress names every item",
      seen: anObserved({
        children: [
          aChild({
            pods: [
              aPod({
                progress: {
                  v: 1,
                  done: "0",
                  failed: "",
                  stages: { segment: 1, place: 1, upscale: 1 },
                  gpuSeconds: 1,
                },
              }),
            ],
          }),
        ],
      }),
      want: "nothing",
    },
    {
      name: "completes with failures when the others are done",
      seen: anObserved({
        job: anOpalJob({ items: 2 }),
        children: [
          aChild({
            items: [0, 1],
            pods: [
              aPod({
                phase: "Succeeded",
                exitCode: 0,
                verdict: aVerdict({
                  done: "0",
                  failed: [{ index: 1, id: "item-1", class: "no-product", message: "" }],
                }),
              }),
            ],
          }),
        ],
      }),
      want: "nothing Complete SomeItemsFailed",
    },
    {
      name: "fails when every item failed for good",
      seen: anObserved({
        children: [
          aChild({
            pods: [
              aPod({
                phase: "Succeeded",
                exitCode: 0,
                verdict: aVerdict({ failed: [{ index: 0, id: "item-0", class: "bad-input", message: "" }] }),
              }),
            ],
          }),
        ],
      }),
      want: "nothing Failed AllItemsFailed",
    },
    {
      name: "fails without another attempt when pods crash and nothing shows that the runner works",
      seen: anObserved({
        children: [
          aChild({
            failedShards: new Set([0]),
            pods: [aPod({ phase: "Failed", exitCode: EXIT_CODES.internal })],
          }),
        ],
      }),
      want: "nothing Failed RetriesExhausted",
    },
    {
      name: "sets the items of a crashing shard apart, one a shard, when the runner works on others",
      seen: anObserved({
        job: anOpalJob({ items: 4 }),
        children: [
          aChild({
            items: [0, 1, 2, 3],
            failedShards: new Set([0]),
            pods: [
              aPod({
                phase: "Failed",
                exitCode: EXIT_CODES.outOfMemory,
                progress: {
                  v: 1,
                  done: "0",
                  failed: "",
                  stages: { segment: 1, place: 1, upscale: 1 },
                  gpuSeconds: 1,
                },
              }),
            ],
          }),
        ],
      }),
      want: "launch coffee-2 [1,2,3]/1 on 1",
    },
    {
      name: "fails at once when the runner refuses its settings, other shards or not",
      seen: anObserved({
        job: anOpalJob({ items: 8 }),
        children: [
          aChild({
            items: [0, 1, 2, 3, 4, 5, 6, 7],
            pods: [aPod(), aPod({ shard: 1, phase: "Failed", exitCode: EXIT_CODES.modelMissing })],
          }),
        ],
      }),
      want: "nothing Failed RunnerMisconfigured",
    },
    {
      name: "fails when the budget is used up",
      seen: anObserved({ job: anOpalJob({ spec: { budget: { gpuSeconds: 60 } } }), children: [running] }),
      want: "nothing Failed BudgetExhausted",
    },
    {
      name: "counts what pods that are gone have used",
      seen: anObserved({
        job: anOpalJob({ spec: { budget: { gpuSeconds: 100 } } }),
        carried: { ...NO_USAGE, gpuSeconds: 50 },
        children: [running],
      }),
      want: "nothing Failed BudgetExhausted",
    },
    {
      name: "completes rather than fails when the last item ends with the budget",
      seen: anObserved({
        job: anOpalJob({ spec: { budget: { gpuSeconds: 60 } } }),
        children: [aChild({ pods: [donePod] })],
      }),
      want: "nothing Complete AllItemsDone",
    },
    {
      name: "fails when the budget does not pay for what it needs at least",
      seen: anObserved({ placement: { ...waitingFor, blockedOn: "job-budget" } }),
      want: "nothing Failed BudgetExhausted",
    },
    {
      name: "gives a suspended job's GPUs back",
      seen: anObserved({
        job: anOpalJob({ spec: { suspend: true } }),
        children: [running],
        placement: undefined,
      }),
      want: "resize to 0",
    },
    {
      name: "launches nothing for a suspended job",
      seen: anObserved({ job: anOpalJob({ spec: { suspend: true } }), placement: undefined }),
      want: "nothing",
    },
    {
      name: "resumes with the child that it had",
      seen: anObserved({ children: [aChild({ parallelism: 0 })] }),
      want: "resize to 1",
    },
    {
      name: "makes a missing ConfigMap again",
      seen: anObserved({ children: [aChild({ hasManifest: false })] }),
      want: "restore-config-map",
    },
    {
      name: "grows when GPUs are free",
      seen: anObserved({
        job: anOpalJob({ items: 8 }),
        children: [aChild({ items: [0, 1, 2, 3, 4, 5, 6, 7], shardSize: 2 })],
        placement: admittedTo("sim", 4),
      }),
      want: "resize to 4",
    },
    {
      name: "gives its GPUs back before it moves to another pool",
      seen: anObserved({ children: [running], placement: admittedTo("other", 1), target: aPool("other") }),
      want: "resize to 0",
    },
    {
      name: "waits until its pods have ended before it goes on elsewhere",
      seen: anObserved({
        children: [aChild({ parallelism: 0, pods: [aPod()] })],
        placement: admittedTo("other", 1),
        target: aPool("other"),
      }),
      want: "nothing",
    },
    {
      name: "goes on in the other pool with what is unfinished, in shards as large as before",
      seen: anObserved({
        job: anOpalJob({ items: 3 }),
        children: [aChild({ items: [0, 1, 2], parallelism: 0, pods: [aPod({ isGone: true, progress })] })],
        placement: admittedTo("other", 1),
        target: aPool("other"),
      }),
      want: "launch coffee-2 [1,2]/2 on 1",
    },
    {
      name: "replaces a pod whose node has not answered for too long",
      seen: anObserved({ children: [aChild({ pods: [aPod({ unreachableSinceMs: MINUTE_MS - 15_000 })] })] }),
      want: "replace-lost-pod",
    },
    {
      name: "gives an unreachable node a little time",
      seen: anObserved({ children: [aChild({ pods: [aPod({ unreachableSinceMs: MINUTE_MS - 14_000 })] })] }),
      want: "nothing",
    },
    {
      name: "replaces a pod that does not start",
      seen: anObserved({
        children: [
          aChild({
            pods: [
              aPod({
                phase: "Pending",
                startedAtMs: undefined,
                scheduledAtMs: MINUTE_MS - 600_000,
                waitingReason: "ImagePullBackOff",
              }),
            ],
          }),
        ],
      }),
      want: "replace-stuck-pod",
    },
    {
      name: "leaves a pod alone that waits for a node: that is the scheduler's affair",
      seen: anObserved({
        children: [aChild({ pods: [aPod({ phase: "Pending", startedAtMs: undefined, createdAtMs: 0 })] })],
      }),
      want: "nothing",
    },
    {
      name: "stops an attempt that was left behind when the job is finished",
      seen: anObserved({
        job: anOpalJob({ status: finishedStatus }),
        children: [aChild({ parallelism: 0 }), aChild({ attempt: 2, isEnded: true, pods: [donePod] })],
      }),
      want: "stop",
    },
    {
      name: "writes nothing when shards end and with them the need for GPUs",
      seen: anObserved({
        job: anOpalJob({ items: 2 }),
        children: [
          aChild({ items: [0, 1], shardSize: 1, parallelism: 2, pods: [donePod, aPod({ shard: 1 })] }),
        ],
        placement: admittedTo("sim", 1),
      }),
      want: "nothing",
    },
    {
      name: "tries nothing again beyond the retries of an item",
      seen: anObserved({
        job: anOpalJob({ spec: { retry: { perItem: 0, infrastructure: 0 } } }),
        children: [
          aChild({
            pods: [
              aPod({
                phase: "Succeeded",
                exitCode: 0,
                verdict: aVerdict({ failed: [{ index: 0, id: "item-0", class: "storage", message: "" }] }),
              }),
            ],
          }),
        ],
      }),
      want: "nothing Failed AllItemsFailed",
    },
    {
      name: "does again what a deleted child had not finished",
      seen: anObserved({
        job: anOpalJob({ items: 2 }),
        children: [aChild({ items: [0, 1], shardSize: 1, isDeleting: true, pods: [donePod] })],
      }),
      want: "launch coffee-2 [1]/1 on 1",
    },
    {
      name: "stops the child of an OpalJob that is being deleted",
      seen: anObserved({ deletedAtMs: START_MS, children: [running] }),
      want: "stop",
    },
    {
      name: "does no more for one that is being deleted",
      seen: anObserved({ deletedAtMs: START_MS }),
      want: "nothing",
    },
    {
      name: "stops what still runs of a finished job",
      seen: anObserved({ job: anOpalJob({ status: finishedStatus }), children: [running] }),
      want: "stop",
    },
    {
      name: "starts nothing for a finished job whose children are gone",
      seen: anObserved({ job: anOpalJob({ status: finishedStatus }) }),
      want: "nothing",
    },
    {
      name: "deletes a finished job after its time",
      seen: anObserved({
        job: anOpalJob({ status: finishedStatus, spec: { ttlSecondsAfterFinished: 30 } }),
        completedAtMs: START_MS + 30_000,
      }),
      want: "delete-opaljob",
    },
  ])("$name", ({ seen, want }) => {
    expect(inShort(decide(seen, settings, MINUTE_MS))).toBe(want);
  });

  it("asks its rules in this order", () => {
    expect(RULES.map((rule) => rule.name)).toEqual([
      "beingDeleted",
      "finished",
      "misconfigured",
      "settled",
      "overBudget",
      "cannotAfford",
      "suspended",
      "configMapMissing",
      "podLost",
      "podStuck",
      "readyToLaunch",
      "moving",
      "allocationChanged",
      "waiting",
    ]);
  });

  it("comes back when the time after the end is over", () => {
    const job = anOpalJob({ status: finishedStatus, spec: { ttlSecondsAfterFinished: 60 } });
    const decision = decide(anObserved({ job, completedAtMs: START_MS + 30_000 }), settings, MINUTE_MS);
    expect(decision).toMatchObject({ action: { do: "nothing" }, keepStatus: true, afterMs: 30_000 });
  });

  it("comes back when the budget will be used up at the present rate", () => {
    const job = anOpalJob({ spec: { budget: { gpuSeconds: 100 } } });
    const child = aChild({ parallelism: 2, items: [0], pods: [aPod(), aPod()] });
    const decision = decide(anObserved({ job, children: [child] }), settings, START_MS + 20_000);
    expect(decision.afterMs).toBe(30_000);
  });
});

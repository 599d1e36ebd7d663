import { describe, expect, it } from "vitest";
import { OpalJobStatus } from "#crds/opaljob.ts";
import { decide } from "./decide.ts";
import { notesOfAction, notesOfStatus } from "./event-notes.ts";
import type { Observed, ObservedPod } from "./observed.ts";
import { MAX_STATUS_BYTES, nextStatus } from "./status.ts";
import { isSame, timeWrite } from "./status-write.ts";
import {
  aChild,
  admittedTo,
  anObserved,
  anOpalJob,
  aPod,
  aVerdict,
  settings,
  START_MS,
  waitingFor,
} from "./testing.ts";

const at = (seconds: number) => new Date(START_MS + seconds * 1000);

function statusOf(seen: Observed, now = at(60)): OpalJobStatus {
  return nextStatus(seen, decide(seen, settings, now.getTime()), now);
}

/** Ran for the first second. */
const ended = aPod({
  phase: "Succeeded",
  exitCode: 0,
  finishedAtMs: START_MS + 1000,
  verdict: aVerdict({ done: "0" }),
});

function conditionsOf({ conditions = [] }: OpalJobStatus): Record<string, string> {
  return Object.fromEntries(conditions.map(({ type, status, reason }) => [type, `${status} ${reason}`]));
}

const progress = {
  v: 1 as const,
  done: "0",
  failed: "",
  stages: { segment: 3, place: 2, upscale: 1 },
  gpuSeconds: 10,
};

describe("the status", () => {
  it("tells a waiting job its place and what blocks it", () => {
    const status = statusOf(anObserved({ placement: waitingFor }));
    expect(conditionsOf(status)).toEqual({
      Queued: "True BehindOthers",
      Admitted: "False NoGpusAssigned",
      Running: "False NoPods",
      Suspended: "False NotSuspended",
    });
    expect(status).toMatchObject({
      phase: "Queued",
      progress: "0/1",
      queue: {
        position: 2,
        blockedOn: "order",
        because: "1 job stands before it.",
      },
    });
    expect(status.assignment).toBeUndefined();
  });

  it("is written as if the launch had been seen already", () => {
    const status = statusOf(anObserved());
    expect(conditionsOf(status)).toMatchObject({
      Queued: "False NotWaiting",
      Admitted: "True GpusAssigned",
      Running: "False PodsStarting",
    });
    expect(status).toMatchObject({
      phase: "Starting",
      attempts: 1,
      assignment: { pool: "sim", gpus: 1, since: "2026-01-01T12:01:00.000Z" },
    });
  });

  it("counts items and stages of a running job", () => {
    const job = anOpalJob({ items: 8 });
    const children = [
      aChild({
        items: [0, 1, 2, 3, 4, 5, 6, 7],
        parallelism: 2,
        pods: [aPod({ progress }), aPod({ shard: 1 })],
      }),
    ];
    const placement = admittedTo("sim", 2);
    const status = statusOf(anObserved({ job, children, placement }));
    expect(status).toMatchObject({
      phase: "Running",
      progress: "1/8",
      items: { total: 8, done: 1, running: 2, pending: 5, failed: 0 },
      stages: { segment: 3, place: 2, upscale: 1 },
      usage: { gpuSeconds: 120, cost: 0.12 },
    });
  });

  it("does not take back what was done when the pod that did it is gone", () => {
    const job = anOpalJob({
      items: 4,
      status: { items: { total: 4, pending: 1, running: 1, done: 2, failed: 0 } },
    });
    const status = statusOf(anObserved({ job, children: [aChild({ items: [0, 1, 2, 3] })] }));
    expect(status.items).toEqual({ total: 4, pending: 2, running: 0, done: 2, failed: 0 });
  });

  it("closes every count and condition with the end", () => {
    const pods = [
      aPod({
        phase: "Succeeded",
        exitCode: 0,
        finishedAtMs: START_MS + 30_000,
        verdict: aVerdict({ done: "0" }),
      }),
    ];
    const status = statusOf(anObserved({ children: [aChild({ pods })] }));
    expect(conditionsOf(status)).toEqual({
      Queued: "False NotWaiting",
      Admitted: "False NoGpusAssigned",
      Running: "False NoPods",
      Suspended: "False NotSuspended",
      Complete: "True AllItemsDone",
    });
    expect(status).toMatchObject({
      phase: "Complete",
      progress: "1/1",
      stages: { segment: 1, place: 1, upscale: 1 },
      usage: { gpuSeconds: 30 },
      completionTime: "2026-01-01T12:01:00.000Z",
    });
    expect(status.assignment ?? status.queue).toBeUndefined();
  });

  it("counts items that the budget did not reach, and names those that failed themselves", () => {
    const job = anOpalJob({ items: 4, spec: { budget: { gpuSeconds: 10 } } });
    const failure = { index: 1, id: "item-1", class: "bad-input" as const, message: "not a picture" };
    const verdict = aVerdict({ done: "0", failed: [failure] });
    const pods = [
      aPod({ phase: "Succeeded", exitCode: 0, finishedAtMs: START_MS + 30_000, verdict }),
      aPod({ shard: 1 }),
    ];
    const child = aChild({ items: [0, 1, 2, 3], shardSize: 2, parallelism: 2, pods });
    const status = statusOf(anObserved({ job, children: [child] }));
    expect(status.items).toEqual({ total: 4, pending: 0, running: 0, done: 1, failed: 3 });
    expect(status.failedItems).toEqual([{ id: "item-1", class: "bad-input", message: "not a picture" }]);
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: "Failed", message: "90 GPU-seconds are used; the budget is 10." }),
    );
  });

  it("tells why pods do not start", () => {
    const pod = aPod({ phase: "Pending", startedAtMs: undefined, waitingReason: "ImagePullBackOff" });
    const status = statusOf(anObserved({ children: [aChild({ pods: [pod] })] }));
    const running = status.conditions?.find((condition) => condition.type === "Running");
    expect(running).toMatchObject({ reason: "PodsStarting", message: `${pod.name}: ImagePullBackOff` });
  });

  it("changes the time of a condition only with its status", () => {
    const first = statusOf(anObserved({ placement: waitingFor }), at(0));
    const job = anOpalJob({ status: first });
    const other = { ...waitingFor, blockedOn: "gpus", because: "Now the first." } as const;
    const second = statusOf(anObserved({ job, placement: other }), at(60));
    const queued = second.conditions?.find((condition) => condition.type === "Queued");
    expect(queued).toMatchObject({ reason: "WaitingForGpus", lastTransitionTime: at(0).toISOString() });
  });

  it("has the time of a launch, whenever it is written", () => {
    const job = anOpalJob({ status: statusOf(anObserved({ placement: waitingFor }), at(0.2)) });
    const children = [aChild({ createdAtMs: START_MS + 4000 })];
    const { conditions, assignment } = statusOf(anObserved({ job, children }), at(9));
    const told = conditions?.find(({ type }) => type === "Admitted");
    expect([told?.lastTransitionTime, assignment?.since]).toEqual([at(4).toISOString(), at(4).toISOString()]);
  });

  describe("has true times of running, whenever it is written:", () => {
    const admitted = statusOf(anObserved(), at(0.7));
    const job = anOpalJob({ status: admitted });
    const times = (pods: ObservedPod[], writtenAt: Date, of = job) => {
      const { conditions, startTime } = statusOf(
        anObserved({ job: of, children: [aChild({ pods })] }),
        writtenAt,
      );
      const running = conditions?.find(({ type }) => type === "Running");
      return { running: `${running?.status} since ${running?.lastTransitionTime}`, startTime };
    };

    it("since the pod's own start", () => {
      expect(times([aPod({ startedAtMs: START_MS + 3000 })], at(5))).toEqual({
        running: `True since ${at(3).toISOString()}`,
        startTime: at(3).toISOString(),
      });
    });

    it("not before GPUs were assigned, although a pod tells whole seconds only", () => {
      expect(times([aPod({ startedAtMs: START_MS })], at(2))).toEqual({
        running: `True since ${at(0.7).toISOString()}`,
        startTime: at(0.7).toISOString(),
      });
    });

    it("until the pod's own end, even when its run was too short to be written", () => {
      expect(times([ended], at(3))).toEqual({
        running: `False since ${at(1).toISOString()}`,
        startTime: at(0.7).toISOString(),
      });
    });

    it("the same at every look", () => {
      const pods = [aPod({ startedAtMs: START_MS + 3000 })];
      const first = anOpalJob({
        status: statusOf(anObserved({ job, children: [aChild({ pods })] }), at(5)),
      });
      expect(times(pods, at(9), first)).toEqual(times(pods, at(5)));
    });
  });

  it("is valid and stays within its size, whatever the failures say", () => {
    const failed = Array.from({ length: 24 }, (_, index) => ({
      index,
      id: "x".repeat(63),
      class: "no-product" as const,
      message: "é".repeat(200),
    }));
    const job = anOpalJob({ items: 24 });
    const pods = [aPod({ phase: "Succeeded", exitCode: 0, verdict: aVerdict({ failed }) })];
    const items = failed.map(({ index }) => index);
    const status = statusOf(anObserved({ job, children: [aChild({ items, shardSize: 24, pods })] }));
    expect(status.failedItems).toHaveLength(20);
    expect(Buffer.byteLength(JSON.stringify(status))).toBeLessThanOrEqual(MAX_STATUS_BYTES);
    expect(OpalJobStatus.parse(status)).toEqual(status);
  });
});

describe("writing the status", () => {
  const before = statusOf(anObserved({ children: [aChild({ pods: [aPod()] })] }), at(10));
  const timed = (after: object, seconds: number) =>
    timeWrite(before, OpalJobStatus.parse(after), {
      intervals: settings,
      writtenAtMs: START_MS,
      launchSeenMs: undefined,
      runningSinceMs: START_MS,
      nowMs: START_MS + seconds * 1000,
    });
  const done = { ...before, items: { total: 1, pending: 0, running: 0, done: 1, failed: 0 } };
  const used = { ...before, usage: { ...before.usage!, gpuSeconds: 99 } };

  const between = statusOf(
    anObserved({ job: anOpalJob({ status: before }), children: [aChild({ pods: [] })] }),
    at(10),
  );

  const admitted = statusOf(anObserved({ children: [aChild()] }), at(0));
  it.each([
    {
      what: "that pods run waits for a moment",
      after: before,
      seconds: 0.5,
      want: { write: "later", afterMs: 1000 },
    },
    {
      what: "that pods run is written when they still do",
      after: before,
      seconds: 1.5,
      want: { write: "now" },
    },
    {
      what: "the end is written at once",
      after: statusOf(anObserved({ children: [aChild({ pods: [ended] })] }), at(1)),
      seconds: 1,
      want: { write: "now" },
    },
    {
      what: "another condition takes the running pods along",
      after: { ...before, observedGeneration: 2 },
      seconds: 0.5,
      want: { write: "now" },
    },
  ] as const)("once the GPUs are assigned, $what", ({ after, seconds, want }) => {
    const nowMs = START_MS + seconds * 1000;
    const seen = { launchSeenMs: undefined, runningSinceMs: START_MS };
    const context = { intervals: settings, writtenAtMs: START_MS, ...seen, nowMs };
    expect(timeWrite(admitted, after, context)).toEqual(want);
  });

  const waits = statusOf(anObserved({ placement: waitingFor }), at(0));
  const launched = (status: object, changes: Partial<Observed> = {}) => {
    const job = anOpalJob({ status, ...(changes.job && { spec: changes.job.spec }) });
    return { before: job.status, after: statusOf(anObserved({ ...changes, job }), at(0)) };
  };
  const later = (afterMs: number) => ({ write: "later", afterMs });
  it.each([
    { what: "waits for a moment", ...launched(waits), seconds: 0, want: later(1500) },
    { what: "of a job without a status too", ...launched({}), seconds: 0, want: later(1500) },
    {
      what: "and that pods run waits from the launch on",
      ...launched(waits, { children: [aChild({ pods: [aPod()] })] }),
      seconds: 1.2,
      want: later(300),
    },
    {
      what: "is written when its GPUs are still held",
      ...launched(waits),
      seconds: 1.5,
      want: { write: "now" },
    },
    {
      what: "is written at once with what else has changed",
      ...launched({ ...waits, observedGeneration: 7 }),
      seconds: 0,
      want: { write: "now" },
    },
    {
      what: "is written at once when the job had GPUs before",
      ...launched({ ...admitted, attempts: 0 }),
      seconds: 0,
      want: { write: "now" },
    },
    {
      what: "and the end within that moment are one write",
      ...launched(waits, { children: [aChild({ pods: [ended] })] }),
      seconds: 1,
      want: { write: "now" },
    },
    {
      what: "that was told, and GPUs again, are written at once",
      ...launched({ ...waits, attempts: 1 }, { children: [aChild()] }),
      seconds: 0,
      want: { write: "now" },
    },
  ])("a launch $what", ({ before: was, after, seconds, want }) => {
    const seen = { launchSeenMs: START_MS, runningSinceMs: START_MS + 1000 };
    const context = { intervals: settings, writtenAtMs: START_MS, ...seen, nowMs: START_MS + seconds * 1000 };
    expect(timeWrite(was, after, context)).toEqual(want);
  });

  it.each([
    ["nothing, not at all", before, 99, { write: "never" }],
    ["a condition, at once", { ...before, conditions: [] }, 0, { write: "now" }],
    [
      "more GPUs, at once",
      { ...before, assignment: { ...before.assignment!, gpus: 2 } },
      0,
      { write: "now" },
    ],
    [
      "fewer GPUs, as shards end, some seconds after the last write",
      { ...before, assignment: { ...before.assignment!, gpus: 0 } },
      1,
      { write: "later", afterMs: 4000 },
    ],
    [
      "pods between two shards, some seconds after the last write",
      between,
      1,
      { write: "later", afterMs: 4000 },
    ],
    ["pods that still do not start, when they are over", between, 5, { write: "now" }],
    ["progress, some seconds after the last write", done, 1, { write: "later", afterMs: 4000 }],
    ["progress, when they are over", done, 5, { write: "now" }],
    ["usage alone, still later", used, 5, { write: "later", afterMs: 25_000 }],
  ] as const)("writes a change of %s", (_what, after, seconds, want) => {
    expect(timed(after, seconds)).toEqual(want);
  });

  const place = (position: number, blockedOn = "order", because = "others") => ({
    queue: { position, blockedOn, because },
  });
  const inTurn = (isSoon: boolean) => ({ write: "in-turn", isSoon });
  const late = { write: "later", afterMs: 25_000 };
  it.each([
    {
      what: "what blocks it, in its turn",
      was: place(9),
      is: place(9, "gpus"),
      seconds: 0,
      want: inTurn(false),
    },
    { what: "a place far back, late", was: place(90), is: place(89), seconds: 5, want: late },
    {
      what: "a place at the head, soon",
      was: place(4),
      is: place(3),
      seconds: 1,
      want: { write: "later", afterMs: 4000 },
    },
    {
      what: "a place at the head, when that is over",
      was: place(2),
      is: place(1),
      seconds: 5,
      want: inTurn(true),
    },
    {
      what: "what somebody has changed, at once",
      was: place(9),
      is: { ...place(9), observedGeneration: 2 },
      seconds: 0,
      want: { write: "now" },
    },
    { what: "words alone, late", was: place(1), is: place(1, "order", "else"), seconds: 5, want: late },
  ])("of a job that waits writes a change of $what", ({ was, is, seconds, want }) => {
    const status = (changes: object) => OpalJobStatus.parse({ ...waits, ...changes });
    const seen = { launchSeenMs: undefined, runningSinceMs: undefined };
    const context = { intervals: settings, writtenAtMs: START_MS, ...seen };
    const nowMs = START_MS + seconds * 1000;
    expect(timeWrite(status(was), status(is), { ...context, nowMs })).toEqual(want);
  });

  it.each([
    { seconds: 1, want: { write: "later", afterMs: 500 } },
    { seconds: 1.5, want: { write: "in-turn", isSoon: true } },
  ])(
    "writes that a job has come to wait when it has waited a moment: after $seconds s",
    ({ seconds, want }) => {
      const after = OpalJobStatus.parse({ ...waits, ...place(1) });
      const seen = { launchSeenMs: undefined, runningSinceMs: undefined };
      const context = { intervals: settings, writtenAtMs: START_MS, ...seen };
      const nowMs = START_MS + seconds * 1000;
      expect(timeWrite({}, after, { ...context, nowMs })).toEqual(want);
    },
  );

  it("takes what is absent and what is undefined for the same", () => {
    expect(isSame({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(isSame({ a: 1, b: null }, { a: 1 })).toBe(false);
  });
});

describe("events", () => {
  const failure = { index: 0, id: "item-0", class: "bad-input" as const, message: "not a picture" };
  const notes = (seen: Observed) => {
    const decision = decide(seen, settings, START_MS + 60_000);
    const after = nextStatus(seen, decision, at(60));
    const told = [...notesOfAction(decision), ...notesOfStatus(seen.job.status, after)];
    return told.map(({ type, reason }) => `${type} ${reason}`);
  };
  it.each([
    ["a launch", anObserved(), ["Normal GpusAssigned"]],
    ["waiting", anObserved({ placement: waitingFor }), []],
    [
      "a pool that does not fit",
      anObserved({ placement: { ...waitingFor, blockedOn: "pool" } }),
      ["Warning NoMatchingPool"],
    ],
    ["an end at which all went well", anObserved({ children: [aChild({ pods: [ended] })] }), []],
    [
      "an end at which something failed",
      anObserved({ children: [aChild({ pods: [{ ...ended, verdict: aVerdict({ failed: [failure] }) }] })] }),
      ["Warning AllItemsFailed"],
    ],
    ["a suspension", anObserved({ job: anOpalJob({ spec: { suspend: true } }) }), ["Normal SuspendedByUser"]],
  ] as const)("of %s", (_what, seen, want) => {
    expect(notes(seen)).toEqual(want);
  });

  const running = aChild({ items: [0, 1, 2, 3], shardSize: 1, parallelism: 4 });
  const because = "The budget allows no further shard.";
  const change = { reason: "Budget", because } as const;
  it.each([
    [
      "some, which the plan wants",
      { ...admittedTo("sim", 1), change },
      `Gives back 3 of its 4 GPUs of pool sim. ${because}`,
    ],
    ["all, which the plan wants", { ...waitingFor, change }, `Gives back its 4 GPUs of pool sim. ${because}`],
    [
      "all, for another pool",
      admittedTo("other", 2),
      "Gives back its 4 GPUs of pool sim. The job moves from pool sim to other.",
    ],
    [
      "some, because fewer shards are left",
      { ...admittedTo("sim", 3), change: { ...change, reason: "FewerShards" } },
      undefined,
    ],
    ["none, but gets one more", admittedTo("sim", 5), undefined],
  ] as const)("of GPUs given back: %s", (_what, placement, want) => {
    const seen = anObserved({ job: anOpalJob({ items: 4 }), children: [running], placement });
    expect(notesOfAction(decide(seen, settings, START_MS + 60_000))[0]?.note).toBe(want);
  });
});

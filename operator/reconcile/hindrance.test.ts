/** What a hindrance makes of conditions, events and decisions. */
import { describe, expect, it } from "vitest";
import { decide } from "./decide.ts";
import { notesOfStatus } from "./event-notes.ts";
import type { Hindrance } from "./failures/standstill.ts";
import type { Observed } from "./observed.ts";
import { nextStatus } from "./status.ts";
import { aChild, anObserved, anOpalJob, aPod, settings, START_MS } from "./testing.ts";

const now = new Date(START_MS + 60_000);
const quota: Hindrance = { kind: "pods-missing", uid: "child-1", class: "quota", message: "No room." };
const starting = aPod({ phase: "Pending", startedAtMs: undefined, scheduledAtMs: START_MS });

function pass(seen: Observed) {
  const decision = decide(seen, settings, now.getTime());
  const status = nextStatus(seen, decision, now);
  const running = status.conditions?.find(({ type }) => type === "Running");
  const notes = notesOfStatus(seen.job.status, status);
  return { decision, status, notes, running: `${running?.status} ${running?.reason}: ${running?.message}` };
}

describe("a hindrance", () => {
  it.each([
    { hindrance: quota, pods: [], want: "False NamespaceQuotaExhausted: No room." },
    { hindrance: { ...quota, class: "config" as const }, pods: [], want: "False PodsRefused: No room." },
    {
      hindrance: { ...quota, kind: "pod-not-starting" as const, uid: starting.uid },
      pods: [starting],
      want: "False PodsHindered: No room.",
    },
    { hindrance: quota, pods: [aPod()], want: "True PodsRunning: 1 of 1 pods run. No room." },
  ])("is $want", ({ hindrance, pods, want }) => {
    const child = aChild({ items: [0, 1, 2, 3, 4], parallelism: 2, pods });
    const seen = anObserved({ job: anOpalJob({ items: 5 }), children: [child], hindrance });
    expect(pass({ ...seen, placement: { kind: "admitted", pool: "sim", gpus: 2 } }).running).toBe(want);
  });

  it("is what the pass says, and one warning however often it is seen", () => {
    const seen = anObserved({ children: [aChild()], hindrance: quota });
    const first = pass(seen);
    expect(first.decision.because).toBe("No room.");
    expect(first.notes).toContainEqual({
      type: "Warning",
      reason: "NamespaceQuotaExhausted",
      action: "Start",
      note: "No room.",
    });
    const again = pass({ ...seen, job: anOpalJob({ status: first.status }) });
    expect(again.notes).toEqual([]);
  });

  it("is said of the pod that is replaced because of it", () => {
    const stuck = { ...starting, scheduledAtMs: now.getTime() - 600_000 };
    const hindrance: Hindrance = { ...quota, kind: "pod-not-starting", uid: stuck.uid };
    const { decision } = pass(anObserved({ children: [aChild({ pods: [stuck] })], hindrance }));
    expect(decision.because).toBe(`Pod ${stuck.name} has not started within 600 s. No room.`);
  });
});

import type { ConditionType } from "#crds/conditions.ts";
import type { OpalJobStatus } from "#crds/opaljob.ts";
import { transitionsOf } from "./conditions.ts";
import type { Decision } from "./decision.ts";

/** An event to be recorded, in the words of events.k8s.io. */
export interface Note {
  readonly type: "Normal" | "Warning";
  readonly reason: string;
  readonly action: string;
  readonly note: string;
}

/**
 * The events of a pass: one for each launch, suspension and end, and one for a job that can never start.
 * Waiting and running are told by the status alone, because each event is a write.
 */
export function notesOf(decision: Decision, before: OpalJobStatus, after: OpalJobStatus): Note[] {
  const notes: Note[] = [];
  if (decision.action.do === "launch") {
    notes.push({ type: "Normal", reason: "GpusAssigned", action: "Launch", note: decision.because });
  }
  for (const { type, reason, message } of transitionsOf(before, after)) {
    const action = ACTIONS[type];
    if (action === undefined || (type === "Queued" && reason !== "NoMatchingPool")) continue;
    const isBad = type === "Failed" || type === "Queued" || reason === "SomeItemsFailed";
    notes.push({ type: isBad ? "Warning" : "Normal", reason, action, note: message });
  }
  return notes;
}

const ACTIONS: Partial<Record<ConditionType, string>> = {
  Queued: "Wait",
  Complete: "Finish",
  Failed: "Finish",
  Suspended: "Suspend",
};

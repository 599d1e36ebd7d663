import { type ConditionType, REASONS } from "#crds/conditions.ts";
import type { Condition, OpalJobStatus } from "#crds/opaljob.ts";
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
 * The events of an action that has been carried out: a launch, which the status tells only if it lasts, and GPUs that
 * the plan takes from a job, of which the status shows only that they are gone.
 */
export function notesOfAction({ action, withdrawal, because }: Decision): Note[] {
  const tell = (reason: string, act: string, note: string): Note[] => [
    { type: "Normal", reason, action: act, note },
  ];
  if (action.do === "launch") return tell("GpusAssigned", "Launch", because);
  return withdrawal === undefined ? [] : tell("GpusWithdrawn", "Shrink", `${withdrawal} ${because}`);
}

/**
 * The events of a written status: one for each suspension, each end at which something failed, and one for a job that
 * can never start or whose pods Kubernetes keeps from starting. Each is a write, so what the status says as well is
 * left to it: waiting, running, and that all went well, which the condition Complete tells in the same words and
 * longer than an event lives.
 */
export function notesOfStatus(before: OpalJobStatus, after: OpalJobStatus): Note[] {
  const notes: Note[] = [];
  for (const { type, reason, message } of transitionsOf(before, after)) {
    const action = ACTIONS[type];
    if (action === undefined || isToldByStatus(type, reason)) continue;
    const isBad = type === "Failed" || type === "Queued" || reason === "SomeItemsFailed";
    notes.push({ type: isBad ? "Warning" : "Normal", reason, action, note: message });
  }
  return [...notes, ...noteOfStandstill(before, after)];
}

function noteOfStandstill(before: OpalJobStatus, after: OpalJobStatus): Note[] {
  const held = heldUp(after);
  if (!held || held.reason === heldUp(before)?.reason) return [];
  return [{ type: "Warning", reason: held.reason, action: "Start", note: held.message }];
}

const HELD_UP: ReadonlySet<string> = new Set([
  REASONS.NamespaceQuotaExhausted,
  REASONS.PodsRefused,
  REASONS.PodsHindered,
]);

function heldUp({ conditions }: OpalJobStatus): Condition | undefined {
  return conditions?.find(({ type, reason }) => type === "Running" && HELD_UP.has(reason));
}

function isToldByStatus(type: ConditionType, reason: string): boolean {
  return reason === REASONS.AllItemsDone || (type === "Queued" && reason !== REASONS.NoMatchingPool);
}

const ACTIONS: Partial<Record<ConditionType, string>> = {
  Queued: "Wait",
  Complete: "Finish",
  Failed: "Finish",
  Suspended: "Suspend",
};

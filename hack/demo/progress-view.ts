/** What a person sees while pictures are made: one line a photo, one word a stage. Pure. */
import { parseRanges } from "#crds/item-ranges.ts";
import { ShardProgress } from "#crds/runner-report.ts";
import { STAGES } from "#crds/stages.ts";

const STEPS = ["upload", ...STAGES, "export"] as const;
export type Step = (typeof STEPS)[number];
export type StepState = "waiting" | "running" | "done" | "failed";
export type ItemProgress = Readonly<Record<Step, StepState>>;

/** Where item `index` of a job stands, from its status in the api and the progress of the job's pods. */
export function progressOf(status: string, index: number, pods: readonly ShardProgress[]): ItemProgress {
  if (status === "completed") return upTo(STEPS.length, "done");
  if (status === "created") return upTo(0, "running");
  const current = pods.find((pod) => pod.current?.index === index)?.current;
  const rendered = pods.some((pod) => parseRanges(pod.done).includes(index));
  const steps = current ? STEPS.indexOf(current.stage) : 1;
  if (status === "failed") return upTo(rendered ? STEPS.length - 1 : steps, "failed");
  if (rendered) return upTo(STEPS.length - 1, "running");
  return upTo(steps, current ? "running" : "waiting");
}

/** Steps before `at` are done, the one at `at` is in `state`, the rest waits. */
function upTo(at: number, state: StepState): ItemProgress {
  const states = STEPS.map((step, index) => [step, index < at ? "done" : index === at ? state : "waiting"]);
  return Object.fromEntries(states) as Record<Step, StepState>;
}

const SIGNS: Record<StepState, string> = { waiting: "·", running: "…", done: "✓", failed: "✗" };

export function progressLine(filename: string, width: number, progress: ItemProgress): string {
  return `${filename.padEnd(width)}  ${STEPS.map((step) => `${SIGNS[progress[step]]} ${step}`).join("  ")}`;
}

/**
 * When what was seen, by the bench's own clock, and what can be said of it: a job's way from its creation to its
 * end in named steps. Pure but for the clock that it is given.
 */
import * as z from "zod";
import { quantile } from "../report.ts";

const Condition = z.object({ type: z.string(), status: z.string() });
const JobObject = z.object({
  metadata: z.object({
    name: z.string(),
    ownerReferences: z.array(z.object({ name: z.string() })).default([]),
  }),
  status: z.object({ conditions: z.array(Condition).default([]) }).default({ conditions: [] }),
});
const PodObject = z.object({
  metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).default({}) }),
  spec: z.object({ nodeName: z.string().optional() }),
  status: z.object({ phase: z.string().default("Pending") }).default({ phase: "Pending" }),
});
const JOB_OF_POD = "batch.kubernetes.io/job-name";

interface PodMarks {
  readonly job: string;
  readonly seenMs: number;
  placedMs?: number;
  runningMs?: number;
  endedMs?: number;
}

/** Milliseconds of each step; those that were not seen are left out. */
export type Steps = Readonly<Partial<Record<(typeof STEPS)[number], number>>>;
export const STEPS = [
  "created_to_child",
  "child_to_pod",
  "pod_to_placed",
  "placed_to_running",
  "running_to_ended",
  "ended_to_told",
] as const;

export interface Marks {
  created(job: string): void;
  /** A watched object of the kind that was created. @returns whether it is over; @throws when it has failed */
  job(raw: unknown): { name: string; isOver: boolean };
  /** A batch Job: the child of one job or of several, or the job itself. */
  child(raw: unknown): void;
  pod(raw: unknown): void;
  /** The steps of each job that was created by us and is over. */
  steps(): Steps[];
  /**
   * How long a GPU stands empty, while there is work for all of them, from the end of a pod to the next one's run:
   * the run that is `gpus` places behind that end, each in the order in which it came. Milliseconds.
   */
  idleMs(gpus: number): number[];
}

export function createMarks(nowMs: () => number): Marks {
  const createdMs = new Map<string, number>();
  const overMs = new Map<string, number>();
  const children = new Map<string, { seenMs: number; owners: readonly string[] }>();
  const pods = new Map<string, PodMarks>();
  const isOurs = ({ job }: PodMarks) => children.get(job)?.owners.some((owner) => createdMs.has(owner));

  return {
    created: (job) => void createdMs.set(job, nowMs()),
    job(raw) {
      const { metadata, status } = JobObject.parse(raw);
      const is = (type: string) =>
        status.conditions.some((one) => one.type === type && one.status === "True");
      if (is("Failed")) throw new Error(`${metadata.name} has failed: ${JSON.stringify(status)}`);
      const isOver = is("Complete");
      if (isOver && !overMs.has(metadata.name)) overMs.set(metadata.name, nowMs());
      return { name: metadata.name, isOver };
    },
    child(raw) {
      const { name, ownerReferences } = JobObject.parse(raw).metadata;
      if (children.has(name)) return;
      const owners = ownerReferences.length === 0 ? [name] : ownerReferences.map((owner) => owner.name);
      children.set(name, { seenMs: nowMs(), owners });
    },
    pod(raw) {
      const { metadata, spec, status } = PodObject.parse(raw);
      const marks = pods.get(metadata.name) ?? { job: metadata.labels[JOB_OF_POD] ?? "", seenMs: nowMs() };
      pods.set(metadata.name, marks);
      if (spec.nodeName !== undefined) marks.placedMs ??= nowMs();
      if (status.phase === "Running") marks.runningMs ??= nowMs();
      if (status.phase === "Succeeded") marks.endedMs ??= nowMs();
    },
    idleMs(gpus) {
      const ascending = (times: (number | undefined)[]) =>
        times.filter((time) => time !== undefined).sort((a, b) => a - b);
      const ours = [...pods.values()].filter(isOurs);
      const runs = ascending(ours.map(startOf)).slice(gpus);
      const ends = ascending(ours.map(({ endedMs }) => endedMs));
      return runs.flatMap((run, at) => {
        const end = ends[at];
        return end === undefined ? [] : [Math.max(0, run - end)];
      });
    },
    steps() {
      const podsOf = Map.groupBy(pods.values(), ({ job }) => job);
      return [...children].flatMap(([child, { seenMs, owners }]) =>
        owners.flatMap((owner) => {
          const over = createdMs.has(owner) ? overMs.get(owner) : undefined;
          // Of several pods of a child the last one decides when the job is over.
          const last = podsOf.get(child)?.reduce((a, b) => ((b.endedMs ?? 0) > (a.endedMs ?? 0) ? b : a));
          return over === undefined || !last
            ? []
            : [stepsOf({ createdMs: createdMs.get(owner), seenMs, over }, last)];
        }),
      );
    },
  };
}

/** A pod that is quick is never seen running: its start and its end come as one change. */
function startOf({ runningMs, endedMs }: PodMarks): number | undefined {
  return runningMs ?? endedMs;
}

function stepsOf(
  { createdMs, seenMs, over }: { createdMs: number | undefined; seenMs: number; over: number },
  pod: PodMarks,
): Steps {
  const moments = [createdMs, seenMs, pod.seenMs, pod.placedMs, startOf(pod), pod.endedMs, over];
  const steps: Record<string, number> = {};
  for (const [at, step] of STEPS.entries()) {
    const [from, to] = [moments[at], moments[at + 1]];
    if (from !== undefined && to !== undefined) steps[step] = Math.max(0, to - from);
  }
  return steps;
}

/** A quantile of each step that was seen at all. */
export function stepQuantiles(
  steps: readonly Steps[],
  q: number,
): Partial<Record<(typeof STEPS)[number], number>> {
  const result: Partial<Record<(typeof STEPS)[number], number>> = {};
  for (const step of STEPS) {
    const values = steps.flatMap((one) => one[step] ?? []);
    if (values.length > 0) result[step] = quantile(values, q);
  }
  return result;
}

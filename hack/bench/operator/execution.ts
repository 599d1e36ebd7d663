import { isFinished } from "#crds/conditions.ts";
import { formatRanges } from "#crds/item-ranges.ts";
import { ANNOTATIONS, LABELS } from "#crds/names.ts";
import * as z from "zod";
import { type Resources, resourcesIn } from "../../../operator/cluster/resources.ts";
import type { ApiClient, Resource } from "../../../operator/runtime/api-client.ts";
import { systemClock } from "../../../operator/runtime/clock.ts";
import { isStatus } from "../../../operator/runtime/errors.ts";
import { createReflector } from "../../../operator/runtime/reflector.ts";

/**
 * Stands in for the Job controller and the nodes as the runner of Kueue's bench does: a child that has all its
 * GPUs is said to be complete once its run time is over, by one write, and there are no pods. As the Job controller
 * does it, that write is a PUT of the status with the whole Job as last seen. What pods would say of the items is in
 * it too: on a child the operator reads what is done from its annotation as well.
 */
export interface Execution {
  /** Resolves when as many OpalJobs as there are have ended; rejects when a child could not be ended. */
  readonly ended: Promise<void>;
  readonly endedJobs: number;
  /** Milliseconds from an OpalJob being seen to its child being seen, by the OpalJob's name. */
  readonly waitsMs: ReadonlyMap<string, number>;
  stop(): Promise<void>;
}

export interface ExecutionOptions {
  readonly client: ApiClient;
  readonly namespace: string;
  /** How many OpalJobs there will be. */
  readonly jobs: number;
  /** Of an OpalJob, by its name. */
  readonly runMs: (job: string) => number;
}

export function startExecution({ client, namespace, jobs, runMs }: ExecutionOptions): Execution {
  const resources: Resources = resourcesIn(namespace);
  const seenMs = new Map<string, number>();
  const waitsMs = new Map<string, number>();
  const ended = new Set<string>();
  const runs = new Map<string, NodeJS.Timeout>();
  /** As seen last, of those that have not been completed. */
  const children = new Map<string, SeenChild>();
  const completed = new Set<string>();
  const all = Promise.withResolvers<void>();
  const stopping = new AbortController();

  function seeOpalJob({ name, isEnded }: SeenOpalJob): void {
    if (!seenMs.has(name)) seenMs.set(name, performance.now());
    if (isEnded) ended.add(name);
    if (ended.size === jobs) all.resolve();
  }

  function seeChild(child: SeenChild): void {
    const { name, job } = child;
    if (!waitsMs.has(job)) waitsMs.set(job, performance.now() - (seenMs.get(job) ?? performance.now()));
    if (completed.has(name)) return;
    children.set(name, child);
    startOrStop(child);
  }

  function startOrStop(child: SeenChild): void {
    const { name, job } = child;
    const hasItsGpus = child.parallelism >= child.completions;
    // Without its GPUs it is started over.
    if (!hasItsGpus) {
      clearTimeout(runs.get(name));
      runs.delete(name);
    } else if (!runs.has(name)) {
      const run = () => void complete(name).catch((error: unknown) => all.reject(error));
      runs.set(name, setTimeout(run, runMs(job)));
    }
  }

  async function complete(name: string): Promise<void> {
    const child = children.get(name);
    if (!child) return;
    try {
      await client.updateStatus(resources.jobs, name, completedJob(child, systemClock.now()));
    } catch (error) {
      if (!isStatus(error, 409)) throw error;
      // Resized meanwhile: it runs on, or is started over, as the newest of it says.
      runs.delete(name);
      startOrStop(children.get(name) ?? child);
      return;
    }
    completed.add(name);
    children.delete(name);
  }

  const reflect = <T>(resource: Resource, transform: (raw: unknown) => T, see: (value: T) => void) =>
    createReflector<T>({
      source: {
        list: (page, signal) => client.list(resource, page, signal),
        watch: (from) => client.watch(resource, from),
      },
      target: {
        knows: () => false,
        watched: ({ value }) => see(value),
        watchedDelete: () => {},
        advance: () => {},
        replace: (entries) => entries.forEach(({ value }) => see(value)),
      },
      transform,
      observer: {
        listed: () => {},
        restarted: () => {},
        skipped: ({ key, error }) => all.reject(new Error(`${key} cannot be read`, { cause: error })),
      },
      clock: systemClock,
      random: Math.random,
      backoff: { baseMs: 100, maxMs: 1000 },
      staleMs: 90_000,
    }).run(stopping.signal);
  const watching = [
    reflect(resources.opalJobs, parseOpalJob, seeOpalJob),
    reflect(resources.jobs, parseChild, seeChild),
  ];
  all.promise.catch(() => {}); // whoever waits for it hears of it

  return {
    ended: all.promise,
    get endedJobs() {
      return ended.size;
    },
    waitsMs,
    async stop() {
      stopping.abort();
      for (const run of runs.values()) clearTimeout(run);
      await Promise.all(watching);
    },
  };
}

interface SeenOpalJob {
  readonly name: string;
  readonly isEnded: boolean;
}

const RawOpalJob = z.object({
  metadata: z.object({ name: z.string() }),
  status: z
    .object({ conditions: z.array(z.object({ type: z.string(), status: z.string() })).default([]) })
    .prefault({}),
});

function parseOpalJob(raw: unknown): SeenOpalJob {
  const { metadata, status } = RawOpalJob.parse(raw);
  return { name: metadata.name, isEnded: isFinished(status.conditions) };
}

interface SeenChild {
  readonly name: string;
  /** The OpalJob's name. */
  readonly job: string;
  /** Indexes of its items, as ranges. */
  readonly items: string;
  readonly parallelism: number;
  readonly completions: number;
  readonly raw: RawJob;
}

interface RawJob {
  readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
}

const RawChild = z.object({
  metadata: z.object({
    name: z.string(),
    labels: z.object({ [LABELS.job]: z.string() }),
    annotations: z.object({ [ANNOTATIONS.items]: z.string() }),
  }),
  spec: z.object({ parallelism: z.int(), completions: z.int() }),
});

function parseChild(raw: unknown): SeenChild {
  const { metadata, spec } = RawChild.parse(raw);
  return {
    name: metadata.name,
    job: metadata.labels[LABELS.job],
    items: metadata.annotations[ANNOTATIONS.items],
    ...spec,
    raw: raw as RawJob,
  };
}

/** Of a list, objects do not say their kind. */
function completedJob({ raw, items, completions }: SeenChild, now: Date): object {
  const annotations = { ...raw.metadata.annotations, [ANNOTATIONS.done]: items };
  return {
    ...raw,
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { ...raw.metadata, annotations },
    status: completedStatus(completions, now),
  };
}

/** As the Job controller leaves it; the API server checks that the parts go together. */
function completedStatus(completions: number, now: Date): object {
  const at = now.toISOString().replace(/\.\d+Z$/, "Z");
  const condition = (type: string) => ({
    type,
    status: "True",
    reason: "CompletionsReached",
    message: "",
    lastProbeTime: at,
    lastTransitionTime: at,
  });
  return {
    startTime: at,
    completionTime: at,
    active: 0,
    ready: 0,
    succeeded: completions,
    completedIndexes: formatRanges(Array.from({ length: completions }, (_, index) => index)),
    conditions: [condition("SuccessCriteriaMet"), condition("Complete")],
  };
}

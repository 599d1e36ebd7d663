import { ShardVerdict } from "#crds/runner-report.ts";
import * as z from "zod";
import type { PodEvidence } from "./evidence.ts";

/** Longer words are cut: they end up in a status. */
const MAX_WORDS = 300;

const Words = z.string().optional();

const ContainerState = z.object({
  waiting: z.object({ reason: Words, message: Words }).optional(),
  running: z.object({ startedAt: z.string().nullish() }).optional(),
  terminated: z
    .object({
      exitCode: z.number(),
      reason: Words,
      message: Words,
      startedAt: z.string().nullish(),
      finishedAt: z.string().nullish(),
    })
    .optional(),
});

/** What of a pod's status says how it fares. Lenient: a field that is missing says nothing. */
export const RawPodStatus = z.object({
  phase: z.string().default("Pending"),
  reason: Words,
  message: Words,
  conditions: z
    .array(
      z.object({
        type: z.string(),
        status: z.string(),
        reason: Words,
        message: Words,
        lastTransitionTime: z.string().nullish(),
      }),
    )
    .default([]),
  containerStatuses: z.array(z.object({ name: z.string(), state: ContainerState.default({}) })).default([]),
});
export type RawPodStatus = z.infer<typeof RawPodStatus>;

/** States that every container passes through; they say nothing is wrong yet. */
const ON_ITS_WAY = new Set(["ContainerCreating", "PodInitializing"]);

/** @param container name of the container whose end counts */
export function readEvidence(status: RawPodStatus, container: string): PodEvidence {
  const condition = (type: string, is: "True" | "False") =>
    status.conditions.find((one) => one.type === type && one.status === is);
  const disrupted = condition("DisruptionTarget", "True");
  const unscheduled = condition("PodScheduled", "False");
  const { waiting, terminated } = stateOf(status, container);
  const isStuck = waiting?.reason !== undefined && !ON_ITS_WAY.has(waiting.reason);
  return {
    ...(status.phase === "Failed" && { podReason: status.reason, podMessage: cut(status.message) }),
    ...(disrupted && {
      disruption: disrupted.reason ?? "Disrupted",
      disruptionMessage: cut(disrupted.message),
    }),
    ...(unscheduled && {
      unscheduledReason: unscheduled.reason ?? "Unschedulable",
      unscheduledMessage: cut(unscheduled.message),
    }),
    ...(isStuck && { waitingReason: waiting.reason, waitingMessage: cut(waiting.message) }),
    ...(terminated && readEnd(terminated)),
  };
}

export function stateOf(status: RawPodStatus, container: string): z.infer<typeof ContainerState> {
  return status.containerStatuses.find(({ name }) => name === container)?.state ?? {};
}

type Terminated = NonNullable<z.infer<typeof ContainerState>["terminated"]>;

function readEnd({ exitCode, reason, message }: Terminated): PodEvidence {
  const verdict = verdictIn(message);
  return {
    exitCode,
    endReason: reason,
    lastWords: verdict ? undefined : cut(message),
    verdictError: verdict?.error,
  };
}

/** The runner's verdict, if the termination message is one. */
export function verdictIn(message: string | undefined): ShardVerdict | undefined {
  if (message === undefined) return undefined;
  try {
    return ShardVerdict.safeParse(JSON.parse(message)).data;
  } catch {
    return undefined;
  }
}

function cut(words: string | undefined): string | undefined {
  return words?.slice(0, MAX_WORDS);
}

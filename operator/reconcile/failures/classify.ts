/**
 * Evidence → class. Rules are asked in order and the first that speaks wins: the runner's own word, then being
 * sent away, then how the container ended, then why it never started. `remedy.ts` says what follows from a class.
 */
import { EXIT_CODES } from "#crds/exit-codes.ts";
import type { FailureClass } from "#crds/failure.ts";
import type { PodEvidence, PodFailure } from "./evidence.ts";
import { classIn, CONTAINER_PHRASES, EVENT_PHRASES } from "./phrases.ts";

type Rule = (seen: PodEvidence) => PodFailure | undefined;

const CLASS_OF_EXIT: ReadonlyMap<number, FailureClass> = new Map([
  [EXIT_CODES.outOfMemory, "out-of-memory"],
  [EXIT_CODES.modelMissing, "model"],
  [EXIT_CODES.storage, "storage"],
  [EXIT_CODES.drained, "evicted"],
  [EXIT_CODES.config, "config"],
]);

/** By a signal: 128 + its number. */
const KILLED = 137;
const TERMINATED = 143;

const runnersOwnWord: Rule = ({ verdictError }) => verdictError;

const endedWithoutVerdict: Rule = ({ exitCode }) =>
  exitCode === EXIT_CODES.done
    ? { class: "unknown", message: "the runner ended without a verdict" }
    : undefined;

/** Sent away. The reason tells whether its node is gone or only wanted for something else. */
const sentAway: Rule = ({ disruption, disruptionMessage, podReason, events }) => {
  if (disruption === undefined) return undefined;
  const isNodeGone =
    disruption === "DeletionByPodGC" ||
    podReason === "NodeLost" ||
    events?.some(({ reason }) => reason === "NodeNotReady");
  return { class: isNodeGone ? "node" : "evicted", message: said(disruption, disruptionMessage) };
};

/** Words of the kubelet for a pod that it ended, or refused, as a whole. */
const CLASS_OF_POD_REASON: ReadonlyMap<string, FailureClass> = new Map([
  ["NodeLost", "node"],
  ["NodeShutdown", "evicted"],
  ["Terminated", "evicted"],
  ["Preempting", "evicted"],
  ["UnexpectedAdmissionError", "node"],
  ["TopologyAffinityError", "node"],
  ["NodeAffinity", "node"],
  ["NodeSelectorMismatching", "node"],
  ["PodOSNotSupported", "config"],
  ["AppArmor", "config"],
  ["DeadlineExceeded", "config"],
]);
const OWN_DISK = /ephemeral.*(?:limit|usage exceeds)|EmptyDir.*exceeds/i;

const endedByKubelet: Rule = ({ podReason, podMessage }) => {
  if (podReason === undefined) return undefined;
  const message = said(podReason, podMessage);
  if (podReason === "Evicted") {
    return { class: OWN_DISK.test(podMessage ?? "") ? "storage" : "evicted", message };
  }
  // OutOfcpu, OutOfmemory, OutOfnvidia.com/gpu: the node had been promised to another pod.
  const known = CLASS_OF_POD_REASON.get(podReason) ?? (podReason.startsWith("OutOf") ? "node" : undefined);
  return known && { class: known, message };
};

const outOfMemory: Rule = ({ endReason, exitCode, lastWords }) =>
  endReason === "OOMKilled"
    ? { class: "out-of-memory", message: said(`OOMKilled, exit code ${exitCode}`, lastWords) }
    : undefined;

const lostByRuntime: Rule = ({ endReason, lastWords }) =>
  endReason === "ContainerStatusUnknown"
    ? { class: "node", message: said("ContainerStatusUnknown", lastWords) }
    : undefined;

const ownExitCode: Rule = ({ exitCode = EXIT_CODES.done, lastWords }) => {
  const known = CLASS_OF_EXIT.get(exitCode);
  return known && { class: known, message: said(`exit code ${exitCode}`, lastWords) };
};

/** The container was made and its program could not be started. */
const notStarted: Rule = ({ exitCode, endReason, lastWords }) => {
  if (endReason !== "StartError" && endReason !== "ContainerCannotRun") return undefined;
  const message = said(`${endReason}, exit code ${exitCode}`, lastWords);
  return { class: classIn(CONTAINER_PHRASES, lastWords) ?? "config", message };
};

/** A crash that its last words explain; a signal while it was being deleted was wanted. */
const crashed: Rule = ({ exitCode, lastWords, isDeleting, events }) => {
  if (exitCode === undefined) return undefined;
  const told = notConfig(classIn(CONTAINER_PHRASES, lastWords));
  const wasSent = exitCode === TERMINATED || (isDeleting && exitCode === KILLED);
  const other = wasSent ? "evicted" : (classOfEvents(events) ?? "unknown");
  return { class: told ?? other, message: said(`exit code ${exitCode}`, lastWords) };
};

/** A program's own words about a file or a key that it misses need not be about its settings. */
function notConfig(told: FailureClass | undefined): FailureClass | undefined {
  return told === "config" ? undefined : told;
}

const IMAGE_REASONS = new Set([
  "ImagePullBackOff",
  "ErrImagePull",
  "ErrImageNeverPull",
  "ImageInspectError",
  "RegistryUnavailable",
  "SignatureValidationFailed",
]);

const doesNotStart: Rule = ({ waitingReason, waitingMessage }) => {
  if (waitingReason === undefined) return undefined;
  const message = said(waitingReason, waitingMessage);
  if (IMAGE_REASONS.has(waitingReason)) return { class: "image-pull", message };
  if (waitingReason === "InvalidImageName" || waitingReason === "CreateContainerConfigError") {
    return { class: "config", message };
  }
  return { class: classIn(CONTAINER_PHRASES, waitingMessage) ?? "node", message };
};

const hasNoNode: Rule = ({ unscheduledReason, unscheduledMessage, events }) => {
  if (unscheduledReason === undefined) return undefined;
  const message = said(unscheduledReason, unscheduledMessage);
  if (unscheduledReason === "SchedulingGated") return { class: "quota", message };
  const told = classOfEvents(events) ?? classIn(EVENT_PHRASES["FailedScheduling"], unscheduledMessage);
  return { class: told ?? "stock-out", message };
};

const toldByEvents: Rule = ({ events }) => {
  const told = classOfEvents(events);
  const last = events?.findLast(({ reason, message }) => classIn(EVENT_PHRASES[reason], message) === told);
  return told && last && { class: told, message: said(last.reason, last.message) };
};

/** The newest event that means something; one about scheduling only when no other does. */
function classOfEvents(events: PodEvidence["events"]): FailureClass | undefined {
  const told = (events ?? []).flatMap(({ reason, message }) => {
    const found = classIn(EVENT_PHRASES[reason], message);
    return found ? [{ reason, found }] : [];
  });
  return (told.findLast(({ reason }) => reason !== "FailedScheduling") ?? told.at(-1))?.found;
}

/** Order is behaviour. */
const RULES: readonly Rule[] = [
  runnersOwnWord,
  endedWithoutVerdict,
  sentAway,
  endedByKubelet,
  outOfMemory,
  lostByRuntime,
  ownExitCode,
  notStarted,
  crashed,
  doesNotStart,
  hasNoNode,
  toldByEvents,
];

/** Why a pod ended badly or does not start. */
export function failureOf(seen: PodEvidence): PodFailure {
  for (const rule of RULES) {
    const failure = rule(seen);
    if (failure) return failure;
  }
  return { class: "node", message: "its pod was lost" };
}

function said(what: string, words: string | undefined): string {
  return words ? `${what}: ${words}` : what;
}

/** The runner refused its settings or models: it would refuse them again, whatever the item. */
export function isMisconfigured({ exitCode }: PodEvidence): boolean {
  return exitCode === EXIT_CODES.config || exitCode === EXIT_CODES.modelMissing;
}

import { EXIT_CODES } from "#crds/exit-codes.ts";
import type { FailureClass } from "#crds/failure.ts";
import type { ObservedPod } from "./observed.ts";

/** Why a pod ended badly, for the items that it left without a verdict. */
export interface PodFailure {
  readonly class: FailureClass;
  readonly message: string;
}

const CLASS_OF_EXIT: ReadonlyMap<number, FailureClass> = new Map([
  [EXIT_CODES.outOfMemory, "out-of-memory"],
  [EXIT_CODES.modelMissing, "model"],
  [EXIT_CODES.storage, "storage"],
  [EXIT_CODES.config, "config"],
]);

/** The runner's own word counts first, then Kubernetes' word, then the exit code. */
export function failureOf(pod: ObservedPod): PodFailure {
  if (pod.verdict?.error) return pod.verdict.error;
  const words = pod.lastWords ? `: ${pod.lastWords}` : "";
  return { class: classOf(pod), message: `${endOf(pod)}${words}` };
}

function classOf({ exitCode, isDisrupted, endReason }: ObservedPod): FailureClass {
  if (exitCode === EXIT_CODES.done) return "unknown";
  if (isDisrupted) return "evicted";
  if (endReason === "OOMKilled") return "out-of-memory";
  if (exitCode === undefined) return "node";
  return CLASS_OF_EXIT.get(exitCode) ?? "unknown";
}

function endOf({ exitCode, endReason }: ObservedPod): string {
  if (exitCode === EXIT_CODES.done) return "the runner ended without a verdict";
  if (exitCode === undefined) return "its pod was lost";
  return endReason === "OOMKilled" ? `OOMKilled, exit code ${exitCode}` : `exit code ${exitCode}`;
}

/** The runner refused its settings or models: it would refuse them again, whatever the item. */
export function isMisconfigured(pod: ObservedPod): boolean {
  return pod.exitCode === EXIT_CODES.config || pod.exitCode === EXIT_CODES.modelMissing;
}

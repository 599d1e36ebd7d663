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
  const words = pod.lastWords === undefined || pod.lastWords === "" ? "" : `: ${pod.lastWords}`;
  if (pod.exitCode === EXIT_CODES.done) {
    return { class: "unknown", message: `the runner ended without a verdict${words}` };
  }
  const message = pod.exitCode === undefined ? `its pod was lost${words}` : `exit code ${pod.exitCode}${words}`;
  if (pod.isDisrupted) return { class: "evicted", message };
  if (pod.endReason === "OOMKilled") return { class: "out-of-memory", message: `OOMKilled, ${message}` };
  if (pod.exitCode === undefined) return { class: "node", message };
  return { class: CLASS_OF_EXIT.get(pod.exitCode) ?? "unknown", message };
}

/** The runner refused its settings or models: it would refuse them again, whatever the item. */
export function isMisconfigured(pod: ObservedPod): boolean {
  return pod.exitCode === EXIT_CODES.config || pod.exitCode === EXIT_CODES.modelMissing;
}

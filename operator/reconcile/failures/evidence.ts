import type { FailureClass } from "#crds/failure.ts";

/** Why a pod ended badly or does not start: for the items that it left without a verdict, and for people. */
export interface PodFailure {
  readonly class: FailureClass;
  readonly message: string;
}

/** Everything that Kubernetes and the runner say about the end of a pod, or about why it does not start. */
export interface PodEvidence {
  /** Kubernetes' word for the pod as a whole: Evicted, NodeLost, UnexpectedAdmissionError, ... */
  readonly podReason?: string | undefined;
  readonly podMessage?: string | undefined;
  /** Reason of the condition DisruptionTarget: sent away for no fault of its own. */
  readonly disruption?: string | undefined;
  readonly disruptionMessage?: string | undefined;
  /** Being deleted: the Job shrank, or somebody removed the pod. */
  readonly isDeleting?: boolean | undefined;
  /** Why the scheduler finds no node. */
  readonly unscheduledReason?: string | undefined;
  readonly unscheduledMessage?: string | undefined;
  /** Why the container does not start, ImagePullBackOff for example. */
  readonly waitingReason?: string | undefined;
  readonly waitingMessage?: string | undefined;
  readonly exitCode?: number | undefined;
  /** Kubernetes' word for the end of the container, OOMKilled for example. */
  readonly endReason?: string | undefined;
  /** The termination message when it is no verdict. */
  readonly lastWords?: string | undefined;
  /** What the runner itself says. */
  readonly verdictError?: PodFailure | undefined;
  /** Events about the pod or its Job, oldest first, as far as they were asked for. */
  readonly events?: readonly PodEvent[] | undefined;
}

export interface PodEvent {
  readonly reason: string;
  readonly message: string;
}

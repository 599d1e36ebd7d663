/** The fixed words by which OPAL's parts find each other's objects in Kubernetes. */

export const GROUP = "opal.dev";
export const VERSION = "v1alpha1";
export const API_VERSION = `${GROUP}/${VERSION}`;

export const LABELS = {
  /** On every child (Job, ConfigMap, pod): the OpalJob's name; of a shared child, its first member's. */
  job: "opal.dev/job",
  /** On every child: the attempt number, counted from 1. Older attempts are "previous". */
  attempt: "opal.dev/attempt",
  tenant: "opal.dev/tenant",
  pool: "opal.dev/pool",
  /** On every child: the OpalQueue that pays for it. */
  queue: "opal.dev/queue",
  /** On nodes: the class of GPU that they offer. */
  gpuClass: "opal.dev/gpu-class",
} as const;

export const ANNOTATIONS = {
  /** Travels from the HTTP request to every log line. */
  correlationId: "opal.dev/correlation-id",
  /** W3C trace context. */
  traceparent: "opal.dev/traceparent",
  /** On a child Job: indexes of the OpalJob's items that this attempt holds, as ranges ("0-3,7"). */
  items: "opal.dev/items",
  /** On a child Job: items that were done before it began, as ranges: pods that said so may be gone. */
  done: "opal.dev/done",
  /** On a child Job: how many items each shard holds at most. */
  shardSize: "opal.dev/shard-size",
  /** On a child Job: side of its tiles as a part of the model's own, when it is not 1. */
  tileScale: "opal.dev/tile-scale",
  /** On a pod, when it is small: its work, JSON of `ShardManifest`, `SharedManifest` or `ChildManifest`. */
  manifest: "opal.dev/manifest",
  /** On a child Job that several OpalJobs share: JSON of `SharedMembers`. Its items are slots then. */
  members: "opal.dev/members",
  /** On a runner pod: its progress, JSON of `ShardProgress`. */
  progress: "opal.dev/progress",
} as const;

/** Keeps an OpalJob made by the api until the projector has committed its verdict to Postgres. */
export const PROJECTION_FINALIZER = "opal.dev/projection";

/** The longest name of an OpalJob: `<name>-<attempt>-<index>` must stay a DNS label of 63 characters. */
export const MAX_JOB_NAME_LENGTH = 52;

/** The child of one attempt. A repeated create meets its own name: a harmless 409. */
export function childName(job: string, attempt: number): string {
  return `${job}-${attempt}`;
}

/** Label key, with an empty value, on a shared child and its pods: `kubectl get jobs -l member.opal.dev/<job>`. */
export function memberLabel(job: string): string {
  return `member.${GROUP}/${job}`;
}

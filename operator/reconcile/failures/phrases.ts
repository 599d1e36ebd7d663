import type { FailureClass } from "#crds/failure.ts";

/**
 * What kernels, drivers, runtimes, registries and clouds say, by what it means. The first phrase that is found
 * counts, so the more telling ones stand first.
 */
export interface Phrase {
  readonly pattern: RegExp;
  readonly class: FailureClass;
}

/** In a container's last words, and in what its runtime says of it. */
export const CONTAINER_PHRASES: readonly Phrase[] = [
  {
    pattern:
      /CUDA(?: error:|_ERROR_| failure \d+:)? ?out.of.memory|CUDA_ERROR_OUT_OF_MEMORY|CUBLAS_STATUS_ALLOC_FAILED|cudaErrorMemoryAllocation|Failed to allocate memory for requested buffer|heap out of memory|bad_alloc|Cannot allocate memory|Array buffer allocation failed/i,
    class: "out-of-memory",
  },
  {
    pattern:
      /\bXid\b|fallen off the bus|uncorrectable ECC|ECC_UNCORRECTABLE|NVML|nvidia-container-cli|driver version is insufficient|no CUDA-capable device|CUDA_ERROR_(?:NO_DEVICE|DEINITIALIZED|SYSTEM_NOT_READY|ILLEGAL_ADDRESS|LAUNCH_FAILED|UNKNOWN)|CUDA driver|unspecified launch failure|illegal memory access|GPU is lost|nvidia-smi has failed|cuInit/i,
    class: "node",
  },
  { pattern: /no space left on device|disk quota exceeded|read-only file system/i, class: "storage" },
  {
    pattern:
      /failed to create containerd task: (?:context deadline|.*ttrpc)|failed to reserve container name|failed to setup network|cni plugin not initialized|container runtime is down/i,
    class: "node",
  },
  {
    pattern:
      /executable file not found|no such file or directory|permission denied|exec format error|not found|invalid|couldn't find key|is not a valid|runAsNonRoot/i,
    class: "config",
  },
];

/** In events, by their reason. A reason that is not listed says nothing, whatever its words. */
export const EVENT_PHRASES: Readonly<Record<string, readonly Phrase[]>> = {
  FailedCreate: [
    { pattern: /exceeded quota|status unknown for quota/i, class: "quota" },
    { pattern: /forbidden|violates PodSecurity|denied the request|is invalid/i, class: "config" },
  ],
  FailedMount: [
    { pattern: /not found|not registered|references non-existent/i, class: "config" },
    { pattern: /./, class: "storage" },
  ],
  FailedAttachVolume: [{ pattern: /./, class: "storage" }],
  FailedCreatePodSandBox: [{ pattern: /./, class: "node" }],
  NodeNotReady: [{ pattern: /./, class: "node" }],
  Rebooted: [{ pattern: /./, class: "node" }],
  SystemOOM: [{ pattern: /./, class: "out-of-memory" }],
  Preempted: [{ pattern: /./, class: "evicted" }],
  PreemptScheduled: [{ pattern: /./, class: "evicted" }],
  Evicted: [{ pattern: /./, class: "evicted" }],
  FailedScaleUp: [
    { pattern: /exceeding approved|QuotaExceeded|quota/i, class: "quota" },
    { pattern: /./, class: "stock-out" },
  ],
  NotTriggerScaleUp: [{ pattern: /./, class: "stock-out" }],
  FailedScheduling: [
    { pattern: /persistentvolumeclaim ".*" not found/i, class: "config" },
    { pattern: /unbound immediate PersistentVolumeClaims|volume node affinity/i, class: "storage" },
    { pattern: /./, class: "stock-out" },
  ],
};

export function classIn(
  phrases: readonly Phrase[] | undefined,
  words: string | undefined,
): FailureClass | undefined {
  if (words === undefined) return undefined;
  return phrases?.find(({ pattern }) => pattern.test(words))?.class;
}

import type { GpuPool } from "#crds/gpupool.ts";

/** What the operator's configuration says about children. Shapes inside are Kubernetes' own. */
export interface RunnerTemplate {
  readonly image: string;
  readonly imagePullPolicy?: string | undefined;
  readonly command?: readonly string[] | undefined;
  readonly args?: readonly string[] | undefined;
  readonly serviceAccountName: string;
  readonly resources?: Readonly<Record<string, Readonly<Record<string, string | number>>>> | undefined;
  readonly env?: readonly object[] | undefined;
  readonly envFrom?: readonly object[] | undefined;
  readonly volumes?: readonly object[] | undefined;
  readonly volumeMounts?: readonly object[] | undefined;
  readonly podLabels?: Readonly<Record<string, string>> | undefined;
  readonly terminationGracePeriodSeconds: number;
}

export interface ReconcileSettings {
  readonly pool: GpuPool;
  readonly runner: RunnerTemplate;
  /** Items in a shard at most. */
  readonly shardSize: number;
  /** How long an ended child stays; long enough that its verdicts are read before. */
  readonly childTtlSeconds: number;
  /** Progress is written to the status at most so often. */
  readonly statusIntervalSeconds: number;
  /** Queue positions and usage alone are written at most so often. */
  readonly backgroundIntervalSeconds: number;
}

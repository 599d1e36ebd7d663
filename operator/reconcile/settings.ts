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
  readonly runner: RunnerTemplate;
  /** Items in a shard at most. */
  readonly shardSize: number;
  /** Items in a child that several small jobs share, at most; 0 or 1: none is shared. */
  readonly coalesce: { readonly maxItems: number };
  /** How long an ended child stays; long enough that its verdicts are read before. */
  readonly childTtlSeconds: number;
  /** Progress is written to the status at most so often. */
  readonly statusIntervalSeconds: number;
  /**
   * That a job waits, that an attempt has been launched, and that its pods run, is written when that has been so for
   * so long, unless something else is written before.
   */
  readonly settleSeconds: number;
  /** Queue positions and usage alone are written at most so often. */
  readonly backgroundIntervalSeconds: number;
  /**
   * A pod whose node has been unreachable for so long is given up and replaced. Kubernetes calls a node
   * unreachable after 40 to 50 s of silence; this counts from then.
   */
  readonly unreachableSeconds: number;
  /** A pod that has a node and does not start within so long is replaced: its image cannot be pulled, say. */
  readonly podStartTimeoutSeconds: number;
  /** After so long without a pod, or with a pod that has a node and does not start, events are asked why. */
  readonly standstillSeconds: number;
  /** Kueue decides when a child may run: it is created suspended, and this operator never resumes it. */
  readonly kueue: boolean;
}

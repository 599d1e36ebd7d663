/** One simulated node, as the binary reads it (internal/node/spec.go). */
export interface NodeSpec {
  readonly name: string;
  /** Simulated GPUs. */
  readonly gpus?: number;
  /** What they are counted as, default `nvidia.com/gpu`. */
  readonly gpuResource?: string;
  /** Value of the node's label `opal.dev/gpu-class`. */
  readonly gpuClass?: string;
  /** Gives it the label and the taint of AKS' spot nodes; only such a node can be reclaimed. */
  readonly spot?: boolean;
  readonly labels?: Readonly<Record<string, string>>;
  readonly taints?: readonly {
    readonly key: string;
    readonly value?: string;
    readonly effect: "NoSchedule" | "PreferNoSchedule" | "NoExecute";
  }[];
  /** Quantities such as "8" and "32Gi"; defaults 64 and 256Gi. */
  readonly cpu?: string;
  readonly memory?: string;
  /** How many pods it takes, default 500. */
  readonly pods?: number;
}

/** Nodes for the pools of crds/examples/gpupools.yaml, and an A100 without a pool. */
export const STANDARD_NODES: readonly NodeSpec[] = [
  { name: "t4-0", gpuClass: "t4", gpus: 4 },
  { name: "t4-spot-0", gpuClass: "t4", gpus: 8, spot: true },
  { name: "a100-0", gpuClass: "a100", gpus: 2 },
  { name: "a100-mig-0", gpuClass: "a100-mig", gpus: 7, gpuResource: "nvidia.com/mig-1g.10gb" },
];

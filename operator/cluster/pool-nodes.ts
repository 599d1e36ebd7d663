/**
 * Which nodes are a pool's: those on which its pods may be placed. That is the node selector's and the taints'
 * decision, as the Kubernetes scheduler takes it.
 */
import type { GpuPool } from "#crds/gpupool.ts";
import type { GpuNode, Taint } from "./gpu-node.ts";

/** The nodes that answer, take new pods, and would take those of this pool. */
export function nodesOf({ spec }: Pick<GpuPool, "spec">, nodes: readonly GpuNode[]): GpuNode[] {
  const selector = Object.entries(spec.nodeSelector);
  return nodes.filter(
    ({ isReady, labels, taints }) =>
      isReady &&
      selector.every(([name, value]) => labels[name] === value) &&
      taints.every((taint) => isTolerated(taint, spec)),
  );
}

type Toleration = GpuPool["spec"]["tolerations"][number];

/**
 * A taint of the resource's own name is tolerated without a word of the pool: managed clusters add that toleration
 * to each pod that asks for the resource (the admission plugin ExtendedResourceToleration).
 */
function isTolerated(taint: Taint, { resourceName, tolerations }: GpuPool["spec"]): boolean {
  return taint.key === resourceName || tolerations.some((toleration) => tolerates(toleration, taint));
}

/** Without a key it is any key, without an effect any effect. */
function tolerates({ key, operator = "Equal", value = "", effect }: Toleration, taint: Taint): boolean {
  if (effect !== undefined && effect !== taint.effect) return false;
  if (key === undefined || key === "") return operator === "Exists";
  return key === taint.key && (operator === "Exists" || value === taint.value);
}

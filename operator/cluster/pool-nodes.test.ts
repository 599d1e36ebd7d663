import { expect, it } from "vitest";
import { aPool } from "../reconcile/testing.ts";
import { parseGpuNode } from "./gpu-node.ts";
import { nodesOf } from "./pool-nodes.ts";

const spot = { key: "kubernetes.azure.com/scalesetpriority", value: "spot", effect: "NoSchedule" };
const labels = { "opal.dev/gpu-class": "l4", zone: "1" };

function isNodeOf(pool: object, node: object): boolean {
  const seen = parseGpuNode({
    metadata: { name: "n", labels },
    spec: node,
    status: { conditions: [{ type: "Ready", status: "True" }] },
  });
  const selecting = { nodeSelector: { "opal.dev/gpu-class": "l4" }, tolerations: [] };
  return nodesOf(aPool("l4", { ...selecting, ...pool }), [seen]).length === 1;
}

it.each([
  { what: "has its labels", pool: {}, node: {}, want: true },
  { what: "has another label", pool: { nodeSelector: { zone: "2" } }, node: {}, want: false },
  { what: "takes no new pods", pool: {}, node: { unschedulable: true }, want: false },
  { what: "is tainted", pool: {}, node: { taints: [spot] }, want: false },
  {
    what: "is tainted NoExecute",
    pool: {},
    node: { taints: [{ ...spot, effect: "NoExecute" }] },
    want: false,
  },
  {
    what: "would rather have others",
    pool: {},
    node: { taints: [{ ...spot, effect: "PreferNoSchedule" }] },
    want: true,
  },
  { what: "has a tolerated taint", pool: { tolerations: [spot] }, node: { taints: [spot] }, want: true },
  {
    what: "has a taint tolerated whatever its value and effect",
    pool: { tolerations: [{ key: spot.key, operator: "Exists" }] },
    node: { taints: [spot] },
    want: true,
  },
  {
    what: "has any taint, and all are tolerated",
    pool: { tolerations: [{ operator: "Exists" }] },
    node: { taints: [spot, { key: "a", effect: "NoExecute" }] },
    want: true,
  },
  {
    what: "has one taint more than is tolerated",
    pool: { tolerations: [spot] },
    node: { taints: [spot, { key: "a", effect: "NoExecute" }] },
    want: false,
  },
  {
    what: "has a taint tolerated for another value",
    pool: { tolerations: [{ ...spot, value: "regular" }] },
    node: { taints: [spot] },
    want: false,
  },
  {
    what: "has a taint tolerated for another effect",
    pool: { tolerations: [{ ...spot, effect: "NoExecute" }] },
    node: { taints: [spot] },
    want: false,
  },
  {
    what: "is tainted for all that ask for no GPU",
    pool: {},
    node: { taints: [{ key: "nvidia.com/gpu", value: "present", effect: "NoSchedule" }] },
    want: true,
  },
])("a node that $what: $want", ({ pool, node, want }) => {
  expect(isNodeOf(pool, node)).toBe(want);
});

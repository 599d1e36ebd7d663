/** Nodes come and go: classes with and without nodes, spot machines taken back with notice, machines that die. */
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { processesNaming } from "../processes/processes-naming.ts";
import { STANDARD_NODES } from "./node-spec.ts";
import {
  aPod,
  apiOf,
  create,
  endOf,
  eventually,
  finished,
  podOf,
  podThat,
  running,
  startTestCluster,
  type Api,
  type Cluster,
} from "./testing.ts";

let cluster: Cluster;
let api: Api;
beforeAll(async () => {
  cluster = await startTestCluster({ nodes: STANDARD_NODES });
  api = apiOf(cluster);
});
afterAll(() => cluster.stop());

const SPOT = "kubernetes.azure.com/scalesetpriority";

/** A pod that asks for one GPU of a class, spot or not. */
function aGpuPod(name: string, script: string, gpuClass: string, resource = "nvidia.com/gpu") {
  return aPod(name, script, {
    container: { resources: { limits: { [resource]: "1" } } },
    spec: {
      nodeSelector: { "opal.dev/gpu-class": gpuClass },
      tolerations: [{ key: SPOT, operator: "Exists" }],
      terminationGracePeriodSeconds: 20,
    },
  });
}

async function names(): Promise<string[]> {
  const { items } = await api.core.listNode();
  return items.map(({ metadata }) => metadata?.name ?? "").sort();
}

const isWithoutNode = (name: string) =>
  podThat(api, name, "finds no node", ({ status }) =>
    Boolean(
      status?.conditions?.some(({ type, reason }) => type === "PodScheduled" && reason === "Unschedulable"),
    ),
  );

test("kubectl describes their GPUs", async () => {
  await create(api, aGpuPod("counts", "exec sleep 300", "a100-mig", "nvidia.com/mig-1g.10gb"));
  await running(api, "counts");
  const { stdout } = await cluster.kubectl(["describe", "node", "a100-mig-0"]);
  expect(stdout).toMatch(/Capacity:\n(.+\n)*? +nvidia.com\/mig-1g.10gb: +7\n/);
  expect(stdout).toMatch(/Allocatable:\n(.+\n)*? +nvidia.com\/mig-1g.10gb: +7\n/);
  expect(stdout).toMatch(/Allocated resources:\n(.+\n)*? +nvidia.com\/mig-1g.10gb +1 +1\n/);
  await api.core.deleteNamespacedPod({ namespace: "default", name: "counts", gracePeriodSeconds: 0 });
});

test("a class may have no node, and gets one", async () => {
  await create(api, aGpuPod("waits", "exit 0", "h100"));
  await isWithoutNode("waits");
  await cluster.control("add-node", "h100-0", { node: { name: "h100-0", gpuClass: "h100", gpus: 1 } });
  expect(endOf(await finished(api, "waits")).exitCode).toBe(0);
  await cluster.control("remove-node", "h100-0");
  expect(await names()).toEqual(["a100-0", "a100-mig-0", "t4-0", "t4-spot-0"]);
});

describe("a spot node is reclaimed", () => {
  test("with notice: it is cordoned and tainted, its pods are told, and then it is gone", async () => {
    await cluster.control("remove-node", "t4-0");
    await create(api, aGpuPod("polite", "exec sleep 300", "t4"));
    await create(api, aGpuPod("deaf", 'trap "" TERM; MARK=on-spot-node sleep 300', "t4"));
    await Promise.all([running(api, "polite"), running(api, "deaf")]);
    await cluster.control("reclaim-node", "t4-spot-0", { noticeSeconds: 3 });
    const { spec, status } = await api.core.readNode({ name: "t4-spot-0" });
    expect(spec?.unschedulable).toBe(true);
    expect(spec?.taints?.map(({ key }) => key)).toContain("remediator.kubernetes.azure.com/unschedulable");
    expect(status?.conditions?.find(({ type }) => type === "VMEventScheduled")).toMatchObject({
      status: "True",
      reason: "PreemptScheduled",
    });
    const described = await cluster.kubectl(["describe", "node", "t4-spot-0"]);
    expect(described.stdout).toMatch(/Warning +PreemptScheduled/);
    await eventually("the pod that listens is gone", async () => !(await podOf(api, "polite")));
    const deaf = await podOf(api, "deaf");
    expect(deaf?.status?.conditions).toContainEqual(
      expect.objectContaining({ type: "DisruptionTarget", reason: "EvictionByEvictionAPI" }),
    );
    await eventually("the node is gone", async () => !(await names()).includes("t4-spot-0"));
    expect(await processesNaming("on-spot-node")).toEqual([]);
    await expect(cluster.control("restore-node", "t4-spot-0")).rejects.toThrow("there is no node");
  });

  test("but another node is not, and one that is going does not come back", async () => {
    await expect(cluster.control("reclaim-node", "a100-0")).rejects.toThrow("no spot node");
    const node = { name: "l4-spot-0", gpuClass: "l4", gpus: 1, spot: true };
    await cluster.control("add-node", node.name, { node });
    await expect(cluster.control("add-node", node.name, { node })).rejects.toThrow("already");
    await cluster.control("reclaim-node", node.name, { noticeSeconds: 60 });
    const { nodes } = await cluster.control("status");
    expect(nodes?.find(({ name }) => name === node.name)).toMatchObject({
      running: true,
      spot: true,
      gpuClass: "l4",
      goneInSeconds: expect.any(Number),
    });
    await expect(cluster.control("restore-node", node.name)).rejects.toThrow("does not come back");
    await cluster.control("remove-node", node.name);
    expect(await names()).toEqual(["a100-0", "a100-mig-0"]);
  });
});

/**
 * A node's power is cut while a shard runs on it, and the shard is replaced on another one: measured from the cut to the
 * replacement running, with the time limits that Kubernetes has by default (a silent node counts as lost after 40 s).
 */
import { afterAll, beforeAll, expect, it } from "vitest";
import { resourcesIn } from "../../operator/cluster/resources.ts";
import {
  createHand,
  createTestNamespace,
  eventually,
  photos,
  type RunningOperator,
  startOperator,
  type TestNamespace,
} from "../../operator/testing.ts";
import { type Cluster, startTestCluster } from "../dev-cluster/testing.ts";

const REPLACED_SECONDS = 90;
const NODES = ["gpu-0", "gpu-1"];

let cluster: Cluster;
let namespace: TestNamespace;
let operator: RunningOperator;

beforeAll(async () => {
  cluster = await startTestCluster({
    nodes: NODES.map((name) => ({ name, gpus: 1 })),
    images: { "opal/runner": ["sleep", "600"] },
  });
  namespace = await createTestNamespace({ kubeconfig: cluster.kubeconfig(), close: () => cluster.stop() });
  const { nodes } = resourcesIn(namespace.name);
  const labels = { "opal.dev/gpu-class": namespace.name };
  for (const node of NODES) await namespace.client.patch(nodes, node, { metadata: { labels } });
  operator = startOperator(namespace);
  await operator.ready;
});

afterAll(async () => {
  operator.kill("SIGKILL");
  await operator.exited;
  await namespace.remove();
  await cluster.stop();
});

it(`a lost node's shard runs again on another within ${REPLACED_SECONDS} s`, async ({ annotate }) => {
  const hand = createHand(namespace);
  const runningPod = async (deadlineMs: number, isAnother: (pod: { name: string }) => boolean = () => true) =>
    eventually(
      "a pod of the job runs",
      async () =>
        (await hand.livePods("job")).find(
          ({ metadata, status }) => status.phase === "Running" && isAnother(metadata),
        ),
      deadlineMs,
    );
  await hand.apply("job", { items: photos(1) });
  const lost = await runningPod(20_000);
  await cluster.control("lose-node", lost.spec.nodeName);
  const lostMs = performance.now();
  const next = await runningPod(REPLACED_SECONDS * 1000, ({ name }) => name !== lost.metadata.name);
  const seconds = (performance.now() - lostMs) / 1000;
  await annotate(`replaced in ${seconds.toFixed(1)} s`);
  expect(seconds).toBeLessThanOrEqual(REPLACED_SECONDS);
  expect(NODES).toContain(next.spec.nodeName);
  expect(next.spec.nodeName).not.toBe(lost.spec.nodeName);
  // The same shard of the same attempt: the loss has cost the job nothing but time.
  const status = await eventually("the status tells that it runs", async () => {
    const { status } = await hand.opalJob("job");
    return status.phase === "Running" && status;
  });
  expect(status).toMatchObject({ attempts: 1, items: { failed: 0 } });
});

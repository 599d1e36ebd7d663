/**
 * Kueue mode beside Kueue itself: its full manager, with its webhooks, in a cluster with the Job controller, the
 * scheduler and a node. Its build takes minutes, so these tests run where it is in the cache folder already
 * (a bench has put it there) or where OPAL_TEST_KUEUE=1 asks for it; elsewhere they are reported as skipped.
 */
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { API_VERSION } from "#crds/names.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import { createKueueQueue, startKueueManager } from "../../hack/bench/kueue/manager.ts";
import { ensureKueue, isKueueBuilt } from "../../hack/bench/kueue/peer.ts";
import { cacheDir } from "../../hack/cache/cache-dir.ts";
import { startTestCluster } from "../../hack/dev-cluster/testing.ts";
import { startReaper } from "../../hack/processes/reaper.ts";
import {
  createHand,
  createTestNamespace,
  eventually,
  photos,
  startOperator,
  type TestNamespace,
} from "../testing.ts";
import { resourcesIn } from "./resources.ts";

const BUILD_MS = 15 * 60_000;
const PATIENCE_MS = 60_000;
const GPU_CLASS = "simulated";
/** Of the OpalQueue, the LocalQueue and the tenant. */
const QUEUE = "shop";

const cache = cacheDir(process.env);
const canRun = process.env["OPAL_TEST_KUEUE"] === "1" || (await isKueueBuilt(cache));
if (!canRun) {
  process.stderr.write(
    "kueue.real.test.ts is skipped: Kueue is not built yet; OPAL_TEST_KUEUE=1 builds it.\n",
  );
}

describe.skipIf(!canRun)("beside Kueue's full manager, with a quota of one GPU", () => {
  const closing = new AsyncDisposableStack();
  let folder: string;
  let namespace: TestNamespace;
  let hand: ReturnType<typeof createHand>;

  beforeAll(async () => {
    const peer = await ensureKueue({ cache });
    folder = await mkdtemp(join(tmpdir(), "opal-kueue-"));
    closing.defer(() => rm(folder, { recursive: true, force: true }));
    const reaper = startReaper({ env: process.env });
    closing.defer(() => reaper.close());
    const cluster = await startTestCluster({ images: { "opal/runner": gatedRunner(folder) } });
    closing.defer(() => cluster.stop());
    await startKueueManager({ cluster, peer, reaper, dir: folder });
    namespace = await createTestNamespace({ kubeconfig: cluster.kubeconfig(), close: () => cluster.stop() });
    closing.defer(() => namespace.remove());
    await createKueueQueue(cluster, { name: QUEUE, namespace: namespace.name, gpus: 1 });
    await createPoolAndQueue(namespace);
    const operator = startOperator(namespace, {
      kueue: true,
      runner: {
        image: "opal/runner",
        serviceAccountName: "opal-runner",
        env: [{ name: "OPAL_TERMINATION_LOG", value: "/dev/termination-log" }],
      },
    });
    closing.defer(async () => {
      operator.kill("SIGKILL");
      await operator.exited;
    });
    await operator.ready;
    hand = createHand(namespace);
  }, BUILD_MS);
  afterAll(() => closing.disposeAsync(), PATIENCE_MS);

  const apply = (name: string) =>
    hand.apply(name, { tenant: QUEUE, items: photos(1), gpu: { classes: [GPU_CLASS] } });
  /** Lets the runner of this job finish. */
  const release = (name: string) => writeFile(join(folder, name), "");
  const suspend = (name: string, suspended: boolean) =>
    namespace.client.patch(resourcesIn(namespace.name).opalJobs, name, { spec: { suspend: suspended } });
  const childOf = async (name: string) => {
    const { items } = await namespace.client.list(resourcesIn(namespace.name).jobs, {
      labelSelector: `opal.dev/job=${name}`,
    });
    return (items as { metadata: { labels: Record<string, string> }; spec: { suspend?: boolean } }[])[0];
  };
  const reaches = (name: string, phase: OpalJob["status"]["phase"]) =>
    eventually(
      `OpalJob ${name} is ${phase}`,
      async () => {
        const { status } = await hand.opalJob(name);
        return status.phase === phase && status;
      },
      PATIENCE_MS,
    );
  const waitsForKueue = async (name: string) => {
    const status = await reaches(name, "Queued");
    expect(status.conditions).toContainEqual(
      expect.objectContaining({ type: "Queued", status: "True", reason: "WaitingForKueue" }),
    );
    expect((await childOf(name))?.spec.suspend).toBe(true);
    expect(await hand.livePods(name)).toEqual([]);
  };

  it(
    "runs two jobs one after the other, each as soon as Kueue admits its child",
    async () => {
      await apply("first");
      await reaches("first", "Running");
      const child = await childOf("first");
      expect(child?.metadata.labels).toMatchObject({ "kueue.x-k8s.io/queue-name": QUEUE });
      expect(child?.spec.suspend).toBe(false);

      await apply("second");
      await waitsForKueue("second");

      await release("first");
      await reaches("first", "Complete");
      await reaches("second", "Running");
      await release("second");
      expect(await reaches("second", "Complete")).toMatchObject({
        items: { done: 1, failed: 0 },
        attempts: 1,
      });
    },
    4 * PATIENCE_MS,
  );

  it(
    "gives the quota back when an OpalJob is suspended, and asks for it again when it is resumed",
    async () => {
      await apply("third");
      await reaches("third", "Running");
      await apply("fourth");
      await waitsForKueue("fourth");

      await suspend("third", true);
      await reaches("third", "Suspended");
      await reaches("fourth", "Running");
      await eventually("its child is gone", async () => (await childOf("third")) === undefined, PATIENCE_MS);

      await suspend("third", false);
      await waitsForKueue("third");
      await release("fourth");
      await reaches("fourth", "Complete");
      await release("third");
      await reaches("third", "Complete");
    },
    6 * PATIENCE_MS,
  );
});

/** A runner that waits until a file of its OpalJob's name is in the folder, and then finds all well. */
function gatedRunner(folder: string): string[] {
  const idle = fileURLToPath(new URL("../../hack/bench/idle-runner.ts", import.meta.url));
  const script = `until [ -e "${folder}/\${POD_NAME%%-*}" ]; do sleep 0.05; done; exec "$0" "$@"`;
  return ["sh", "-c", script, process.execPath, idle];
}

/** The namespace's own pool has no nodes. */
async function createPoolAndQueue({ client }: TestNamespace): Promise<void> {
  const { gpuPools, opalQueues } = resourcesIn("");
  const object = (kind: string, name: string, spec: object) => ({
    apiVersion: API_VERSION,
    kind,
    metadata: { name },
    spec,
  });
  const nodeSelector = { "opal.dev/gpu-class": GPU_CLASS };
  const pool = { gpuClass: GPU_CLASS, vramGiB: 16, maxGpus: 8, nodeSelector };
  await client.create(gpuPools, object("GpuPool", GPU_CLASS, pool));
  await client.create(opalQueues, object("OpalQueue", QUEUE, {}));
}

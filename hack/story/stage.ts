/**
 * The stage of the story: a dev cluster with nodes of three GPU classes, the operator with its own account's rights,
 * and runners that only let time pass. Pools and queues come from the YAML files beside this one.
 */
import { mkdir, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CustomObjectsApi, KubeConfig } from "@kubernetes/client-node";
import * as z from "zod";
import { GpuPool } from "#crds/gpupool.ts";
import { GROUP, VERSION } from "#crds/names.ts";
import { OpalJob } from "#crds/opaljob.ts";
import { OpalQueue } from "#crds/opalqueue.ts";
import { type Cluster, type NodeSpec, startCluster } from "../dev-cluster/cluster.ts";
import { startOperator } from "../launch/operator-part.ts";
import { installOpal } from "../launch/prepare-cluster.ts";
import { IDENTITIES, NAMESPACE, RUNNER_IMAGE } from "../launch/settings.ts";
import { startReaper } from "../processes/reaper.ts";

const ON_DEMAND = { "opal.dev/on-demand": "true" };
/** 8 T4s, 2 L4s on demand and 2 on a spot machine, 2 A100s on demand and none on spot machines. */
const NODES: readonly NodeSpec[] = [
  { name: "t4-0", gpuClass: "t4", gpus: 8 },
  { name: "l4-0", gpuClass: "l4", gpus: 2, labels: ON_DEMAND },
  { name: "l4-spot-0", gpuClass: "l4", gpus: 2, spot: true },
  { name: "a100-0", gpuClass: "a100", gpus: 2, labels: ON_DEMAND },
];

const PATIENCE_SECONDS = 60;
const POLL_MILLISECONDS = 200;

const OpalJobs = z.object({ items: z.array(OpalJob) });

export interface Stage {
  readonly cluster: Cluster;
  /** Runs kubectl as an engineer, in OPAL's namespace. @throws with its words when its code is not 0 */
  readonly kubectl: (...args: string[]) => Promise<string>;
  /** Applies files of this folder. */
  apply(...files: string[]): Promise<void>;
  job(name: string): Promise<OpalJob>;
  jobs(): Promise<OpalJob[]>;
  pool(name: string): Promise<GpuPool>;
  queue(name: string): Promise<OpalQueue>;
  /** Asks again and again until there is an answer. @throws with `what` after a minute */
  until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T>;
  stop(): Promise<void>;
}

export interface StageOptions {
  readonly secondsPerPicture: number;
  readonly onProgress?: (text: string) => void;
}

export async function startStage({ secondsPerPicture, onProgress = () => {} }: StageOptions): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), "opal-story-"));
  const reaper = startReaper({ env: process.env });
  reaper.removeFolder(folder);
  const closing = new AsyncDisposableStack();
  closing.defer(() => reaper.close());
  try {
    onProgress("cluster");
    const cluster = await startCluster({
      dir: join(folder, "cluster"),
      identities: IDENTITIES,
      images: {
        [RUNNER_IMAGE]: [process.execPath, fileURLToPath(new URL("timed-runner.ts", import.meta.url))],
      },
      nodes: NODES,
      nodeGraceSeconds: 8,
    });
    closing.defer(() => cluster.stop());
    onProgress("operator");
    await installOpal(cluster);
    const records = join(folder, "records");
    await mkdir(records);
    const operator = await startOperator(
      { cluster, folder, reaper },
      operatorConfig({ records, secondsPerPicture }),
    );
    closing.defer(async () => void (await operator.stop()));
    const stage = { ...createHands(cluster), cluster, stop: () => closing.disposeAsync() };
    await stage.apply("pools.yaml", "queues.yaml");
    return stage;
  } catch (error) {
    await closing.disposeAsync();
    throw error;
  }
}

/** Minutes of a real cluster are seconds here. */
function operatorConfig({ records, secondsPerPicture }: { records: string; secondsPerPicture: number }) {
  return {
    shardSize: 4,
    statusIntervalSeconds: 0.5,
    poolStatusIntervalSeconds: 1,
    backgroundIntervalSeconds: 1,
    unreachableSeconds: 5,
    lease: { durationSeconds: 4, renewSeconds: 3, retrySeconds: 0.5 },
    schedule: {
      usageHalfLifeSeconds: 60,
      minRunSeconds: 2,
      reloadSeconds: 1,
      assumedSecondsPerImage: secondsPerPicture,
    },
    runner: {
      env: [
        // Named, so that the node, whose pods have no files of their own, can put its paths in their place.
        { name: "OPAL_TERMINATION_LOG", value: "/dev/termination-log" },
        { name: "OPAL_SERVICE_ACCOUNT_DIR", value: "/var/run/secrets/kubernetes.io/serviceaccount" },
        { name: "SECONDS_PER_PICTURE", value: String(secondsPerPicture) },
        { name: "RECORDS_DIR", value: records },
      ],
    },
  };
}

function createHands(cluster: Cluster): Omit<Stage, "cluster" | "stop"> {
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig("engineer"));
  const objects = config.makeApiClient(CustomObjectsApi);
  const kind = { group: GROUP, version: VERSION };
  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await cluster.kubectl(args, { identity: "engineer" });
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
    return stdout;
  };
  return {
    kubectl,
    async apply(...files) {
      const paths = files.map((file) => fileURLToPath(new URL(file, import.meta.url)));
      await kubectl("apply", ...paths.flatMap((path) => ["-f", path]));
    },
    job: async (name) =>
      OpalJob.parse(
        await objects.getNamespacedCustomObject({ ...kind, plural: "opaljobs", namespace: NAMESPACE, name }),
      ),
    async jobs() {
      const list = await objects.listNamespacedCustomObject({
        ...kind,
        plural: "opaljobs",
        namespace: NAMESPACE,
      });
      return OpalJobs.parse(list).items;
    },
    pool: async (name) =>
      GpuPool.parse(await objects.getClusterCustomObject({ ...kind, plural: "gpupools", name })),
    queue: async (name) =>
      OpalQueue.parse(await objects.getClusterCustomObject({ ...kind, plural: "opalqueues", name })),
    until,
  };
}

async function until<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + PATIENCE_SECONDS * 1000;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`not within ${PATIENCE_SECONDS} s: ${what}`);
    await sleep(POLL_MILLISECONDS);
  }
}

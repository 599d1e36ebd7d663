import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { API_VERSION } from "#crds/names.ts";
import { stringify } from "yaml";
import { resourcesIn } from "../../../operator/cluster/resources.ts";
import { type ApiClient, createApiClient } from "../../../operator/runtime/api-client.ts";
import { loadClusterAccess } from "../../../operator/runtime/cluster-access.ts";
import { createKubeHttp } from "../../../operator/runtime/kube-http.ts";
import type { Cluster } from "../../dev-cluster/cluster.ts";
import { installOpal } from "../../launch/prepare-cluster.ts";
import { IDENTITIES, NAMESPACE } from "../../launch/settings.ts";
import { nodeProgram } from "../../processes/node-program.ts";
import { type Part, spawnPart } from "../../processes/part.ts";
import type { Reaper } from "../../processes/reaper.ts";
import { KUEUE_CLIENT } from "../kueue/peer.ts";
import { type Execution, startExecution } from "./execution.ts";
import type { JobSet, Load, QueueLoad } from "./load.ts";
import { adminTokenAccess, tokenAccess } from "./token-access.ts";
import { managerCost, meterServers, type Side, startQuietCluster } from "./side.ts";

const ROOT = new URL("../../../", import.meta.url);
const READY_SECONDS = 60;
const GPU_CLASS = "bench";
/** The most that a pool may have: the queues' quotas are the limit here. */
const POOL_GPUS = 10_000;
const PROGRESS_MILLISECONDS = 2000;
/** What operator/README.md recommends for a container of 512 MiB, which is what Kueue's has. */
const NODE_OPTIONS = "--max-old-space-size=320 --max-semi-space-size=4 --v8-pool-size=1";

export interface OpalSideOptions {
  readonly load: Load;
  readonly reaper: Reaper;
  /** Takes logs, and the operator's CPU profile when that is asked for. */
  readonly dir: string;
  readonly deadlineSeconds: number;
  readonly isProfiled: boolean;
  readonly onProgress: (text: string) => void;
}

/** The operator under the load as OpalJobs, one namespace, 30 OpalQueues, one pool. */
export async function runOpal(options: OpalSideOptions): Promise<Side> {
  const { load, dir } = options;
  await mkdir(dir, { recursive: true });
  const cluster = await startQuietCluster({ dir: join(dir, "cluster"), identities: IDENTITIES });
  const access = await adminTokenAccess(cluster, join(dir, "admin.yaml"));
  const http = createKubeHttp(await loadClusterAccess({ kubeconfig: access }), "opal-bench");
  const client = createApiClient({
    http,
    gate: () => Promise.resolve(undefined),
    observer: { requested() {} },
  });
  try {
    await installOpal(cluster);
    await createPoolAndQueues(client, load);
    const operator = await startOperator(cluster, options);
    const runMs = new Map(load.queues.flatMap(({ sets }) => sets.map((set) => [set.className, set.runMs])));
    const execution = startExecution({
      client,
      namespace: NAMESPACE,
      jobs: load.jobs,
      runMs: (job) => runMs.get(classOf(job)) ?? 0,
    });
    const serverSeconds = await meterServers(cluster);
    const ownBefore = process.cpuUsage();
    const startMs = performance.now();
    await Promise.race([
      Promise.all([generate(client, load), execution.ended]),
      watchProgress(execution, options),
      operator.exited.then(() => Promise.reject(new Error(`the operator ended: see ${dir}`))),
    ]);
    const wallSeconds = (performance.now() - startMs) / 1000;
    const { user, system } = process.cpuUsage(ownBefore);
    const metricsUrl = `http://127.0.0.1:${operator.ready.port}/metrics`;
    const cost = await managerCost(operator.pid, metricsUrl, dir);
    const others = {
      serverCpuSeconds: await serverSeconds(),
      harnessCpuSeconds: (user + system) / 1e6,
    };
    await execution.stop();
    await operator.stop();
    return { wallSeconds, waits: waitsByClass(execution), cost, others };
  } finally {
    http.close();
    await cluster.stop();
  }
}

/** Rejects at the deadline, and never resolves. */
async function watchProgress(
  execution: Execution,
  { load, deadlineSeconds, onProgress }: OpalSideOptions,
): Promise<never> {
  const deadlineMs = performance.now() + deadlineSeconds * 1000;
  for (;;) {
    await sleep(PROGRESS_MILLISECONDS, undefined, { ref: false });
    const progress = `${execution.endedJobs} of ${load.jobs} jobs`;
    onProgress(progress);
    if (performance.now() > deadlineMs) throw new Error(`${progress} had ended after ${deadlineSeconds} s`);
  }
}

async function startOperator(
  cluster: Cluster,
  { reaper, dir, isProfiled }: OpalSideOptions,
): Promise<Part<{ port: number }>> {
  const config = join(dir, "operator.yaml");
  const account = { namespace: NAMESPACE, name: "opal-operator", file: join(dir, "operator-access.yaml") };
  await writeFile(
    config,
    stringify({
      namespace: NAMESPACE,
      runner: { image: "opal/runner", serviceAccountName: "opal-runner" },
      writes: KUEUE_CLIENT,
      // Kueue admits each job by itself: here each has a child of its own too. bench:flow measures shared ones.
      coalesce: { maxItems: 0 },
    }),
  );
  const program = nodeProgram(new URL("operator/main.ts", ROOT));
  return spawnPart<{ port: number }>(
    {
      name: "operator",
      command: program.command,
      args: [...(isProfiled ? ["--cpu-prof", `--cpu-prof-dir=${dir}`] : []), ...program.args],
      env: {
        ...program.env,
        NODE_OPTIONS,
        OPAL_CONFIG_FILE: config,
        OPAL_METRICS_PORT: "0",
        KUBECONFIG: await tokenAccess(cluster, account),
      },
      cwd: fileURLToPath(ROOT),
      logFile: join(dir, "operator.log"),
      graceSeconds: 30,
      readiness: {
        by: "line",
        deadlineSeconds: READY_SECONDS,
        read: (line) => (line.includes('"msg":"ready"') ? (JSON.parse(line) as { port: number }) : undefined),
      },
    },
    reaper,
  );
}

/** All sets of all queues at once, each at its own pace, as Kueue's generator does it. */
async function generate(client: ApiClient, { queues }: Load): Promise<void> {
  const { opalJobs } = resourcesIn(NAMESPACE);
  const generateSet = async (queue: QueueLoad, set: JobSet) => {
    for (let index = 0; index < set.count; index++) {
      await sleep(set.intervalMs);
      await client.create(opalJobs, anOpalJob(queue.name, set, index));
    }
  };
  await Promise.all(queues.flatMap((queue) => queue.sets.map((set) => generateSet(queue, set))));
}

async function createPoolAndQueues(client: ApiClient, { queues }: Load): Promise<void> {
  const { gpuPools, opalQueues } = resourcesIn("");
  const object = (kind: string, name: string, spec: object) => ({
    apiVersion: API_VERSION,
    kind,
    metadata: { name },
    spec,
  });
  const pool = { gpuClass: GPU_CLASS, vramGiB: 16, maxGpus: POOL_GPUS };
  await client.create(gpuPools, object("GpuPool", "bench", pool));
  for (const { name, cohort, nominal, borrowingLimit } of queues) {
    const quotas = [{ class: GPU_CLASS, nominal, borrowingLimit }];
    await client.create(opalQueues, object("OpalQueue", name, { cohort, quotas }));
  }
}

/** One item a GPU, and all GPUs at once or none. */
function anOpalJob(queue: string, { className, gpus, priority }: JobSet, index: number): object {
  const items = Array.from({ length: gpus }, (_, n) => ({ id: `item-${n}`, source: `raw/bench/${n}.jpg` }));
  return {
    apiVersion: API_VERSION,
    kind: "OpalJob",
    metadata: { name: `${className}-${index}-${queue}` },
    spec: {
      tenant: "bench",
      queue,
      priority,
      items,
      brand: { placement: "transparent" },
      gpu: { minGpus: gpus, maxGpus: gpus },
    },
  };
}

function classOf(job: string): string {
  return job.slice(0, job.indexOf("-"));
}

function waitsByClass({ waitsMs }: Execution): Map<string, number[]> {
  const waits = new Map<string, number[]>();
  for (const [job, ms] of waitsMs) {
    const known = waits.get(classOf(job)) ?? [];
    known.push(ms / 1000);
    waits.set(classOf(job), known);
  }
  return waits;
}

import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Resource } from "../../../operator/runtime/api-client.ts";
import { type Cluster, type NodeSpec, startCluster } from "../../dev-cluster/cluster.ts";
import { IDENTITIES } from "../../launch/settings.ts";
import { KUEUE_IDENTITY } from "../kueue/manager.ts";
import type { Reaper } from "../../processes/reaper.ts";
import { type AuditLog, createAuditLog, type Write } from "./audit.ts";
import type { Contender, Manager, Place } from "./contender.ts";
import { connect, createAll, follow, type Kubernetes } from "./kubernetes.ts";
import { IMAGE } from "./load.ts";
import { createMarks, type Marks, type Steps } from "./marks.ts";
import { cpuSeconds, peakMegabytes } from "./process-usage.ts";

export interface RoundSettings {
  readonly contender: Contender;
  readonly jobs: number;
  /** Created and run before anything is measured, as a manager that has been up for a while. */
  readonly warmUpJobs: number;
  readonly nodes: readonly NodeSpec[];
  /** Of all nodes. */
  readonly gpus: number;
  readonly reaper: Reaper;
  /** Done to the cluster before the manager starts; resolves with how to undo it. */
  readonly prepare?: (place: Place) => Promise<() => Promise<void>>;
  readonly onProgress: (text: string) => void;
}

export interface Round {
  /** From the first create to the last job seen to be over. */
  readonly wallSeconds: number;
  /** Every write, the manager's among them. */
  readonly writes: readonly Write[];
  readonly managerUser: string | undefined;
  readonly managerCpuSeconds: number;
  readonly managerPeakMegabytes: number;
  /** Of etcd, API server, controllers, scheduler, nodes and pods. */
  readonly clusterCpuSeconds: number;
  readonly steps: readonly Steps[];
  /** See `Marks.idleMs`. */
  readonly idleMs: readonly number[];
}

const JOB_PATIENCE_SECONDS = 3;
const LEAST_PATIENCE_SECONDS = 120;
/** The last events and statuses are written after the last job is over. */
const QUIET_MILLISECONDS = 2000;
const SETTLE_SECONDS = 30;

/** One contender, one fresh cluster, one load. */
export async function runRound(settings: RoundSettings): Promise<Round> {
  const folder = await mkdtemp(join(tmpdir(), "opal-bench-"));
  settings.reaper.removeFolder(folder);
  const audit = await createAuditLog(folder);
  const runner = fileURLToPath(new URL("runner.sh", import.meta.url));
  await using closing = new AsyncDisposableStack();
  const cluster = await startCluster({
    dir: join(folder, "cluster"),
    identities: [...IDENTITIES, KUEUE_IDENTITY],
    images: { [IMAGE]: ["/bin/sh", runner] },
    nodes: settings.nodes,
    extraArgs: { apiserver: audit.apiserverArgs },
  });
  closing.defer(() => cluster.stop());
  const place = { cluster, folder, reaper: settings.reaper };
  const undo = await settings.prepare?.(place);
  if (undo) closing.defer(undo);
  const manager = await settings.contender.start(place);
  closing.defer(() => manager.stop());
  const kubernetes = await connect(cluster.kubeconfig());
  closing.defer(() => kubernetes.close());
  const stage = { ...settings, cluster, audit, manager, kubernetes };
  if (settings.warmUpJobs > 0) {
    await runLoad(stage, names("warm-up", settings.warmUpJobs));
    await untilQuiet(audit);
  }
  // Awaited here: what it uses is closed when this function ends.
  return await measure(stage);
}

interface Stage extends RoundSettings {
  readonly cluster: Cluster;
  readonly audit: AuditLog;
  readonly manager: Manager;
  readonly kubernetes: Kubernetes;
}

async function measure(stage: Stage): Promise<Round> {
  const { audit, manager, cluster, jobs } = stage;
  const pid = manager.process?.pid;
  const offset = await audit.end();
  const managerBefore = pid === undefined ? 0 : await cpuSeconds(pid);
  const clusterBefore = await clusterCpuSeconds(cluster);
  const { wallSeconds, marks } = await runLoad(stage, names("job", jobs));
  await untilQuiet(audit);
  return {
    wallSeconds,
    steps: marks.steps(),
    idleMs: marks.idleMs(stage.gpus),
    writes: await audit.since(offset),
    managerUser: manager.process?.user,
    managerCpuSeconds: pid === undefined ? 0 : (await cpuSeconds(pid)) - managerBefore,
    managerPeakMegabytes: pid === undefined ? 0 : await peakMegabytes(pid),
    clusterCpuSeconds: (await clusterCpuSeconds(cluster)) - clusterBefore,
  };
}

const names = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

async function clusterCpuSeconds(cluster: Cluster): Promise<number> {
  const { components = {} } = await cluster.control("status");
  const used = await Promise.all([cluster.pid, ...Object.values(components)].map(cpuSeconds));
  return used.reduce((sum, one) => sum + one, 0);
}

async function runLoad(
  { contender, kubernetes, cluster, onProgress }: Stage,
  jobNames: readonly string[],
): Promise<{ wallSeconds: number; marks: Marks }> {
  const marks = createMarks(() => performance.now());
  const stop = new AbortController();
  const allOver = Promise.withResolvers<number>();
  const open = new Set(jobNames);
  const onJob = (raw: unknown) => {
    const { name, isOver } = marks.job(raw);
    if (!isOver || !open.delete(name)) return;
    onProgress(`${jobNames.length - open.size} of ${jobNames.length} jobs`);
    if (open.size === 0) allOver.resolve(performance.now());
  };
  const { resource, namespace } = contender;
  const watch = (resource: Resource, onObject: (raw: unknown) => void) =>
    follow(kubernetes, { resource, signal: stop.signal, onObject });
  const jobs = { group: "batch", version: "v1", plural: "jobs", namespace };
  const watches = [
    await watch({ group: "", version: "v1", plural: "pods", namespace }, (raw) => marks.pod(raw)),
    await watch(jobs, (raw) => marks.child(raw)),
    await watch(resource, onJob),
  ];
  try {
    const startedMs = performance.now();
    const creating = createAll(
      kubernetes,
      resource,
      jobNames.map((name) => contender.job(name)),
      (at) => marks.created(jobNames[at] ?? ""),
    ).then(() => allOver.promise);
    const endedMs = await Promise.race([
      creating,
      cluster.broken.then((error) => Promise.reject(error)),
      ...watches.map(({ broken }) => broken),
      late(jobNames.length, open, stop.signal),
    ]);
    return { wallSeconds: (endedMs - startedMs) / 1000, marks };
  } finally {
    stop.abort();
  }
}

async function late(jobs: number, open: ReadonlySet<string>, signal: AbortSignal): Promise<never> {
  const seconds = Math.max(LEAST_PATIENCE_SECONDS, jobs * JOB_PATIENCE_SECONDS);
  await sleep(seconds * 1000, undefined, { signal }).catch(() => new Promise(() => {}));
  throw new Error(
    `${open.size} of ${jobs} jobs are not over after ${seconds} s: ${[...open].slice(0, 5).join(", ")}`,
  );
}

async function untilQuiet(audit: AuditLog): Promise<void> {
  const deadlineMs = performance.now() + SETTLE_SECONDS * 1000;
  for (let size = -1; performance.now() < deadlineMs;) {
    const now = await audit.end();
    if (now === size) return;
    size = now;
    await sleep(QUIET_MILLISECONDS);
  }
}

/** What is measured of a manager under load, whichever it is. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { type Cluster, type ClusterOptions, startCluster } from "../../dev-cluster/cluster.ts";
import { cpuSeconds, peakMegabytes } from "../flow/process-usage.ts";

export interface Side {
  /** From the start of the load until the last job was seen to have ended. */
  readonly wallSeconds: number;
  /** Seconds from a job being seen to its admission being seen, by class. */
  readonly waits: ReadonlyMap<string, readonly number[]>;
  readonly cost: ManagerCost;
  readonly others: OthersCost;
}

/** What else shares the cores, from the start of the load to its end. */
export interface OthersCost {
  /** Of the API server and etcd. */
  readonly serverCpuSeconds: number;
  /** Of whoever makes the load and mimics its execution. */
  readonly harnessCpuSeconds: number;
}

export interface ManagerCost {
  /** Requests that write, by what is written; events included. */
  readonly writes: ReadonlyMap<string, number>;
  readonly cpuSeconds: number;
  /** 10⁶ bytes. */
  readonly peakRssMb: number;
}

/**
 * A control plane that only keeps objects: Jobs get no pods and nothing is collected, so that the harness alone
 * says what becomes of them. The limits are those that Kueue's runner gives its own API server.
 */
export async function startQuietCluster(options: ClusterOptions): Promise<Cluster> {
  const apiserver = ["--max-requests-inflight=5000", "--max-mutating-requests-inflight=2500"];
  const cluster = await startCluster({ ...options, extraArgs: { apiserver } });
  for (const part of ["controller-manager", "scheduler"]) await cluster.control("stop", part);
  return cluster;
}

/** Of a running process, up to now; its metrics are kept in `dir`. Linux only. */
export async function managerCost(pid: number, metricsUrl: string, dir: string): Promise<ManagerCost> {
  const [seconds, peakRssMb, metrics] = await Promise.all([
    cpuSeconds(pid),
    peakMegabytes(pid),
    fetch(metricsUrl).then((response) => response.text()),
  ]);
  await writeFile(join(dir, "metrics.txt"), metrics);
  return { writes: writesIn(metrics), cpuSeconds: seconds, peakRssMb };
}

/** @returns what tells the CPU time of the API server and etcd since now */
export async function meterServers(cluster: Cluster): Promise<() => Promise<number>> {
  const { components = {} } = await cluster.control("status");
  const used = async () => {
    const pids = ["apiserver", "etcd"].flatMap((name) => components[name] ?? []);
    return (await Promise.all(pids.map(cpuSeconds))).reduce((sum, one) => sum + one, 0);
  };
  const before = await used();
  return async () => (await used()) - before;
}

const WRITES = /^(create|update|patch|delete|post|put)$/;

/**
 * The writes that `rest_client_requests_total` counts, by verb and resource where the client tells it. A lease's
 * renewals are no job's and left out.
 */
export function writesIn(metrics: string): Map<string, number> {
  const writes = new Map<string, number>();
  for (const [, labels = "", count] of metrics.matchAll(/^rest_client_requests_total\{(.*)\} (\S+)$/gm)) {
    const label = (name: string) => new RegExp(`(?:^|,)${name}="([^"]*)"`).exec(labels)?.[1];
    const verb = (label("verb") ?? label("method") ?? "").toLowerCase();
    const resource = label("resource");
    if (!WRITES.test(verb) || resource === "leases") continue;
    const name = resource === undefined ? verb : `${verb} ${resource}`;
    writes.set(name, (writes.get(name) ?? 0) + Number(count));
  }
  return writes;
}

export function sumOf(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((sum, count) => sum + count, 0);
}

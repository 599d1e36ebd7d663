/** What is measured of a manager under load, whichever it is. */
import { readFile } from "node:fs/promises";
import type { ClusterOptions } from "../../dev-cluster/cluster.ts";
import { type Cluster, startCluster } from "../../dev-cluster/cluster.ts";

export interface Side {
  /** From the start of the load until the last job was seen to have ended. */
  readonly wallSeconds: number;
  /** Seconds from a job being seen to its admission being seen, by class. */
  readonly waits: ReadonlyMap<string, readonly number[]>;
  readonly cost: ManagerCost;
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

/** Of a running process, up to now. Linux only. */
export async function managerCost(pid: number, metricsUrl: string): Promise<ManagerCost> {
  const [stat, status, metrics] = await Promise.all([
    readFile(`/proc/${pid}/stat`, "utf8"),
    readFile(`/proc/${pid}/status`, "utf8"),
    fetch(metricsUrl).then((response) => response.text()),
  ]);
  return {
    writes: writesIn(metrics),
    cpuSeconds: cpuTicks(stat) / TICKS_PER_SECOND,
    peakRssMb: (Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6,
  };
}

/** What Linux tells programs, whatever the kernel was built with. */
const TICKS_PER_SECOND = 100;

/** The name in parentheses may hold anything; user and system time are the 12th and 13th field after it. */
function cpuTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return Number(fields[11]) + Number(fields[12]);
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

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";
import { freePort } from "../../processes/free-port.ts";
import { spawnPart, type Part } from "../../processes/part.ts";
import type { Reaper } from "../../processes/reaper.ts";
import type { Cluster } from "../../dev-cluster/cluster.ts";
import { cpuSeconds } from "../flow/process-usage.ts";
import type { KueuePeer } from "../kueue/peer.ts";
import type { Load } from "./load.ts";
import { adminTokenAccess } from "./token-access.ts";
import { managerCost, meterServers, type OthersCost, type Side, startQuietCluster } from "./side.ts";

const READY_SECONDS = 60;

export interface KueueSideOptions {
  readonly peer: KueuePeer;
  readonly load: Load;
  readonly reaper: Reaper;
  /** Takes logs and what the runner records. */
  readonly dir: string;
  readonly deadlineSeconds: number;
}

/** Kueue's minimal manager under the load, driven and recorded by its own runner. */
export async function runKueue(options: KueueSideOptions): Promise<Side> {
  const { peer, reaper, dir } = options;
  await mkdir(dir, { recursive: true });
  const cluster = await startQuietCluster({ dir: join(dir, "cluster") });
  try {
    await applyCrds(cluster, peer.crds);
    const access = await adminTokenAccess(cluster, join(dir, "admin.yaml"));
    const port = await freePort();
    const metricsUrl = `http://127.0.0.1:${port}/metrics`;
    const manager = await spawnPart(
      {
        name: "minimalkueue",
        command: peer.minimalKueue,
        args: ["--kubeconfig", access, "--metricsPort", String(port)],
        env: { HOME: dir },
        cwd: dir,
        logFile: join(dir, "minimalkueue.log"),
        readiness: {
          by: "probe",
          deadlineSeconds: READY_SECONDS,
          probe: async () => (await fetch(metricsUrl)).ok || undefined,
        },
      },
      reaper,
    );
    const { runner, others } = await runToEnd(cluster, access, options);
    const cost = await managerCost(manager.pid, metricsUrl, dir);
    await runner.kill();
    await manager.stop();
    return { ...(await readRecord(dir)), cost, others };
  } finally {
    await cluster.stop();
  }
}

async function applyCrds(cluster: Cluster, folder: string): Promise<void> {
  const { code, stderr } = await cluster.kubectl(["apply", "--server-side", "-f", folder]);
  if (code !== 0) throw new Error(`Kueue's CRDs could not be applied: ${stderr}`);
  const names = (await readdir(folder)).map((name) => /_(\w+)\.yaml$/.exec(name)?.[1] ?? "");
  const crds = names.filter((name) => name !== "").map((plural) => `crd/${plural}.kueue.x-k8s.io`);
  const waited = await cluster.kubectl(["wait", "--for=condition=Established", ...crds]);
  if (waited.code !== 0) throw new Error(`Kueue's CRDs are not served: ${waited.stderr}`);
}

/** Resolves when the runner has written its record; what it does then, removing its objects, is not measured. */
async function runToEnd(
  cluster: Cluster,
  access: string,
  { peer, load, reaper, dir, deadlineSeconds }: KueueSideOptions,
): Promise<{ runner: Part; others: OthersCost }> {
  const generator = join(dir, "generator.yaml");
  await writeFile(generator, load.generator);
  const where = ["--kubeconfig", access, "--generatorConfig", generator, "--o", dir];
  const limits = ["--timeout", `${deadlineSeconds}s`];
  const serverSeconds = await meterServers(cluster);
  const runner = await spawnPart(
    {
      name: "kueue-runner",
      command: peer.runner,
      args: [...where, ...limits],
      // It is made of Kueue's tests, which want to know where its sources are, and uses nothing of them.
      env: { HOME: dir, PROJECT_DIR: dir },
      cwd: dir,
      logFile: join(dir, "kueue-runner.log"),
      readiness: {
        by: "line",
        deadlineSeconds: deadlineSeconds + READY_SECONDS,
        read: (line) => (line.includes("Start cleanup") ? true : undefined),
      },
    },
    reaper,
  );
  const [serverCpuSeconds, harnessCpuSeconds] = await Promise.all([serverSeconds(), cpuSeconds(runner.pid)]);
  return { runner, others: { serverCpuSeconds, harnessCpuSeconds } };
}

const Summary = z.object({
  clusterQueueClasses: z.record(
    z.string(),
    z.object({ firstEventTime: z.coerce.date(), lastEventTime: z.coerce.date() }),
  ),
  droppedWorkloadEvents: z.number().default(0),
});

async function readRecord(dir: string): Promise<Omit<Side, "cost" | "others">> {
  const summary = Summary.parse(parse(await readFile(join(dir, "summary.yaml"), "utf8")));
  // It records without waiting: what did not fit is missing from the record.
  if (summary.droppedWorkloadEvents > 0) {
    console.error(
      `Kueue's runner dropped ${summary.droppedWorkloadEvents} events: its waits may be too short`,
    );
  }
  const events = Object.values(summary.clusterQueueClasses);
  const startMs = Math.min(...events.map(({ firstEventTime }) => firstEventTime.getTime()));
  const endMs = Math.max(...events.map(({ lastEventTime }) => lastEventTime.getTime()));
  const waits = readWaits(await readFile(join(dir, "wlStates.csv"), "utf8"));
  return { wallSeconds: (endMs - startMs) / 1000, waits };
}

/** @param csv id, class name, namespace, name, ms to admitted, ms to finish, evictions; with a header */
function readWaits(csv: string): Map<string, number[]> {
  const rows = csv.trim().split("\n").slice(1);
  const waits = new Map<string, number[]>();
  for (const row of rows) {
    const [, className = "", , , milliseconds] = row.split(",");
    const known = waits.get(className) ?? [];
    known.push(Number(milliseconds) / 1000);
    waits.set(className, known);
  }
  return waits;
}

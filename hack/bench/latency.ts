/**
 * bench:latency: from an applied OpalJob to a running runner process, and what it costs: writes to the API server
 * and memory of the operator. The runner does nothing; control plane, Job controller, scheduler and node are real.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { CustomObjectsApi, KubeConfig } from "@kubernetes/client-node";
import { isFinished } from "#crds/conditions.ts";
import { GROUP, VERSION } from "#crds/names.ts";
import { OpalJob } from "#crds/opaljob.ts";
import { launchOpal, type Opal } from "../launch/launch.ts";
import { quantile, reportLines } from "./report.ts";

const JOBS = 30;
const WARM_UP_JOBS = 3;
const JOB_DEADLINE_MILLISECONDS = 60_000;
const POLL_MILLISECONDS = 50;
const WRITE_VERBS = new Set(["create", "update", "patch", "delete"]);

const opal = await launchOpal({
  runner: [process.execPath, fileURLToPath(new URL("idle-runner.ts", import.meta.url))],
});
try {
  const client = jobClient(opal);
  for (let i = 0; i < WARM_UP_JOBS; i++) await client.run(`warm-up-${i}`);
  const writesBefore = await operatorWrites(opal);
  const seconds: number[] = [];
  for (let i = 0; i < JOBS; i++) {
    seconds.push(await client.run(`latency-${i}`));
    if (process.stderr.isTTY) process.stderr.write(`\r${i + 1} of ${JOBS} jobs`);
  }
  const writesAfter = await operatorWrites(opal);
  report(
    seconds,
    {
      ofJobs: (writesAfter.ofJobs - writesBefore.ofJobs) / JOBS,
      all: (writesAfter.all - writesBefore.all) / JOBS,
    },
    await residentMegabytes(opal.pid("operator")),
  );
} finally {
  await opal.stop();
}

function report(seconds: readonly number[], writesPerJob: Writes, rss: number): void {
  const p50 = quantile(seconds, 0.5);
  const figures = {
    applied_to_started_p50_seconds: p50,
    applied_to_started_p90_seconds: quantile(seconds, 0.9),
    applied_to_started_max_seconds: Math.max(...seconds),
    operator_rss_mb: rss,
    writes_per_job: writesPerJob.ofJobs,
    writes_per_job_with_rounds: writesPerJob.all,
    jobs: seconds.length,
  };
  const goals = [
    { name: "applied_to_started_p50_seconds", value: p50, goal: 1.5, better: "lower" },
    { name: "operator_rss_mb", value: rss, goal: 200, better: "lower" },
    { name: "writes_per_job", value: writesPerJob.ofJobs, goal: 4, better: "lower" },
  ] as const;
  const lines = reportLines({ bench: "latency", figures, goals }, process.argv.includes("--json"));
  for (const line of lines) console.log(line);
}

function jobClient({ cluster, namespace }: Opal) {
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig("admin"));
  const objects = config.makeApiClient(CustomObjectsApi);
  const resource = { group: GROUP, version: VERSION, namespace, plural: "opaljobs" };
  return {
    /** Applies a one-item job, waits for its end. Returns the seconds from the apply to its process's start. */
    async run(name: string): Promise<number> {
      const appliedAtMs = Date.now();
      await objects.createNamespacedCustomObject({ ...resource, body: aJob(name) });
      const deadline = appliedAtMs + JOB_DEADLINE_MILLISECONDS;
      for (;;) {
        const job = OpalJob.parse(await objects.getNamespacedCustomObject({ ...resource, name }));
        if (isFinished(job.status.conditions ?? [])) break;
        if (Date.now() > deadline) throw new Error(`${name} has no end: ${JSON.stringify(job.status)}`);
        await new Promise((wake) => setTimeout(wake, POLL_MILLISECONDS));
      }
      const { stdout } = await cluster.kubectl(["logs", "-n", namespace, "-l", `opal.dev/job=${name}`]);
      const { startedAtMs } = JSON.parse(stdout) as { startedAtMs: number };
      return (startedAtMs - appliedAtMs) / 1000;
    },
  };
}

function aJob(name: string) {
  return {
    apiVersion: `${GROUP}/${VERSION}`,
    kind: "OpalJob",
    metadata: { name },
    spec: {
      tenant: "demo",
      items: [{ id: "cup", source: "raw/examples/coffee.jpg" }],
      brand: { placement: "transparent" },
    },
  };
}

interface Writes {
  /** For OpalJobs and their children, events included. */
  readonly ofJobs: number;
  /** With the rounds of statuses of pools and queues, which come every few seconds whatever the number of jobs. */
  readonly all: number;
}

/** The operator's own count of its writes; its lease's renewals are left out. */
async function operatorWrites({ operatorMetricsUrl }: Opal): Promise<Writes> {
  const text = await (await fetch(operatorMetricsUrl)).text();
  let [ofJobs, all] = [0, 0];
  for (const line of text.split("\n")) {
    const match = /^rest_client_requests_total\{(.*)\} (\d+)/.exec(line);
    if (!match) continue;
    const labels = match[1] ?? "";
    const verb = /(?:verb|method)="(\w+)"/.exec(labels)?.[1]?.toLowerCase() ?? "";
    if (!WRITE_VERBS.has(verb) || labels.includes('"leases"')) continue;
    all += Number(match[2]);
    if (!/"(gpupools|opalqueues)\//.test(labels)) ofJobs += Number(match[2]);
  }
  return { ofJobs, all };
}

/** Resident memory of a process, 10⁶ bytes. Linux only. */
async function residentMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  const kilobytes = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  return (kilobytes * 1024) / 1e6;
}

/**
 * For tests on a real control plane: a namespace with the chart's rights, the operator as its own process under
 * its own service account, and a hand that plays the kubelet, so that a test decides how pods fare.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { startTestCluster } from "../hack/dev-cluster/testing.ts";
import { parse as parseYaml, parseAllDocuments, stringify } from "yaml";
import { OpalJob } from "#crds/opaljob.ts";
import { encodeVerdict, type ShardVerdict } from "#crds/runner-report.ts";
import { resourcesIn } from "./cluster/resources.ts";
import { type ApiClient, createApiClient, type Resource } from "./runtime/api-client.ts";
import { loadClusterAccess } from "./runtime/cluster-access.ts";
import { isStatus } from "./runtime/errors.ts";
import { createKubeHttp, type KubeHttp } from "./runtime/kube-http.ts";

const here = (path: string) => new URL(path, import.meta.url).pathname;

export interface TestCluster {
  readonly kubeconfig: string;
  close(): Promise<void>;
}

/** The cluster that OPAL_TEST_KUBECONFIG names, or a fresh one. */
export async function openTestCluster(): Promise<TestCluster> {
  const given = process.env["OPAL_TEST_KUBECONFIG"];
  if (given) return { kubeconfig: given, close: () => Promise.resolve() };
  const cluster = await startTestCluster();
  return { kubeconfig: cluster.kubeconfig(), close: () => cluster.stop() };
}

export interface TestNamespace {
  readonly name: string;
  /** An administrator's. */
  readonly client: ApiClient;
  readonly folder: string;
  /** Of the service account opal-operator. */
  readonly operatorKubeconfig: string;
  remove(): Promise<void>;
}

export async function createTestNamespace({ kubeconfig }: TestCluster): Promise<TestNamespace> {
  const name = `opal-test-${randomBytes(4).toString("hex")}`;
  const http = createKubeHttp(await loadClusterAccess({ kubeconfig }), "operator-test");
  const client = createApiClient({
    http,
    gate: () => Promise.resolve(undefined),
    observer: { requested() {} },
  });
  for (const name of ["opaljob", "gpupool", "opalqueue"]) {
    await applyAll(client, readFileSync(here(`../crds/${name}.yaml`), "utf8"));
  }
  await applyAll(
    client,
    readFileSync(here("../charts/opal/rbac.yaml"), "utf8").replaceAll(
      /\b(namespace|name): opal$/gm,
      `$1: ${name}`,
    ),
    // Cluster-wide rights are bound for each namespace anew.
    (object) => object.kind === "ClusterRoleBinding" && { ...object.metadata, name: `opal-operator-${name}` },
  );
  // A new CRD's storage is not there at once.
  await eventually("OpalJobs are served", async () => client.list(resourcesIn(name).opalJobs, {}));
  await createPool(client, name);
  const folder = mkdtempSync(join(tmpdir(), "operator-test-"));
  return {
    name,
    client,
    folder,
    operatorKubeconfig: await kubeconfigFor(http, { kubeconfig, folder, namespace: name }),
    async remove() {
      // Children first: the Job controller lets go of pods slowly once their namespace is being deleted.
      await removeOpalJobs(client, name);
      await client.delete(resourcesIn(name).gpuPools, name);
      await client.delete({ group: "", version: "v1", plural: "namespaces" }, name);
      http.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function removeOpalJobs(client: ApiClient, namespace: string): Promise<void> {
  const { opalJobs, jobs } = resourcesIn(namespace);
  for (const { metadata } of (await client.list(opalJobs, {})).items as { metadata: { name: string } }[]) {
    await client.patch(opalJobs, metadata.name, { metadata: { finalizers: null } });
    await client.delete(opalJobs, metadata.name);
  }
  // The garbage collector would do it, but learns of new kinds only twice a minute.
  await eventually("the child Jobs are gone", async () => {
    const items = (await client.list(jobs, {})).items as { metadata: { name: string } }[];
    for (const { metadata } of items) await client.delete(jobs, metadata.name);
    return items.length === 0;
  });
}

const PLURALS: Record<string, string> = {
  CustomResourceDefinition: "customresourcedefinitions",
  Namespace: "namespaces",
  ServiceAccount: "serviceaccounts",
  Role: "roles",
  RoleBinding: "rolebindings",
  ClusterRole: "clusterroles",
  ClusterRoleBinding: "clusterrolebindings",
};

interface RawObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string };
}

/** A pool of four GPUs that no node offers, so that pods stay as the test's hand sets them; a queue for all. */
async function createPool(client: ApiClient, namespace: string): Promise<void> {
  const { gpuPools, opalQueues } = resourcesIn(namespace);
  const nodeSelector = { "opal.dev/gpu-class": namespace };
  // A pod that never gets a node would be a stock-out.
  const spec = { gpuClass: "test", vramGiB: 16, maxGpus: 4, nodeSelector, startTimeoutSeconds: 3600 };
  const object = (kind: string, name: string, spec: object) => ({
    apiVersion: "opal.dev/v1alpha1",
    kind,
    metadata: { name },
    spec,
  });
  // The kinds are served a moment after their definitions were created.
  await eventually("GpuPool and OpalQueue are served", async () => {
    await createUnlessThere(client, gpuPools, object("GpuPool", namespace, spec));
    await createUnlessThere(client, opalQueues, object("OpalQueue", "default", {}));
    return true;
  });
}

async function createUnlessThere(client: ApiClient, resource: Resource, object: object): Promise<void> {
  try {
    await client.create(resource, object);
  } catch (error) {
    if (!isStatus(error, 409)) throw error;
  }
}

async function applyAll(
  client: ApiClient,
  yaml: string,
  metadataOf: (object: RawObject) => RawObject["metadata"] | false = () => false,
): Promise<void> {
  for (const document of parseAllDocuments(yaml)) {
    const object = document.toJS() as RawObject;
    const [version = "", group = ""] = object.apiVersion.split("/").reverse();
    const { namespace } = object.metadata;
    const plural = PLURALS[object.kind] ?? "";
    const resource: Resource = { group, version, plural, ...(namespace !== undefined && { namespace }) };
    await createUnlessThere(client, resource, {
      ...object,
      metadata: metadataOf(object) || object.metadata,
    });
  }
}

async function kubeconfigFor(
  http: KubeHttp,
  { kubeconfig, folder, namespace }: { kubeconfig: string; folder: string; namespace: string },
): Promise<string> {
  const { body } = await http.request({
    method: "POST",
    path: `/api/v1/namespaces/${namespace}/serviceaccounts/opal-operator/token`,
    body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec: { expirationSeconds: 3600 } },
  });
  const { status } = JSON.parse(body) as { status: { token: string } };
  const admin = parseYaml(readFileSync(kubeconfig, "utf8")) as {
    clusters: unknown[];
    contexts: { context: { cluster: string } }[];
  };
  const path = join(folder, "operator.kubeconfig");
  const cluster = admin.contexts[0]?.context.cluster;
  writeFileSync(
    path,
    stringify({
      apiVersion: "v1",
      kind: "Config",
      clusters: admin.clusters,
      users: [{ name: "operator", user: { token: status.token } }],
      contexts: [{ name: "test", context: { cluster, user: "operator" } }],
      "current-context": "test",
    }),
  );
  return path;
}

export interface RunningOperator {
  readonly pid: number;
  /** Resolves when it leads. */
  readonly ready: Promise<{ port: number }>;
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
  readonly log: string[];
}

/** @param args as `main.ts` takes them */
export function startOperator(
  namespace: TestNamespace,
  changes: object = {},
  args: readonly string[] = [],
): RunningOperator {
  const config = join(namespace.folder, `operator-${randomBytes(4).toString("hex")}.yaml`);
  writeFileSync(
    config,
    stringify({
      namespace: namespace.name,
      runner: { image: "opal/runner", serviceAccountName: "opal-runner" },
      shardSize: 4,
      statusIntervalSeconds: 0.5,
      lease: { durationSeconds: 4, renewSeconds: 3, retrySeconds: 0.5 },
      ...changes,
    }),
  );
  const child = spawn(process.execPath, [here("main.ts"), ...args], {
    env: {
      OPAL_CONFIG_FILE: config,
      OPAL_METRICS_PORT: "0",
      KUBECONFIG: namespace.operatorKubeconfig,
      LOG_LEVEL: "debug",
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  return watchOutput(child);
}

function watchOutput(child: ChildProcess): RunningOperator {
  const log: string[] = [];
  const ready = Promise.withResolvers<{ port: number }>();
  const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) =>
    child.once("exit", (code, signal) => resolve({ code, signal })),
  );
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on("line", (line) => {
      log.push(line);
      if (line.includes('"msg":"ready"')) ready.resolve(JSON.parse(line) as { port: number });
    });
  }
  ready.promise.catch(() => {});
  void exited.then(() => ready.reject(new Error(`the operator ended:\n${log.slice(-5).join("\n")}`)));
  return { pid: child.pid ?? 0, ready: ready.promise, exited, kill: (signal) => child.kill(signal), log };
}

/** Looks again and again until `look` finds something. @throws {Error} after the deadline */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined | false>,
  deadlineMs = 20_000,
): Promise<T> {
  const untilMs = performance.now() + deadlineMs;
  let last: unknown;
  while (performance.now() < untilMs) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`not within ${deadlineMs} ms: ${what}`, { cause: last });
}

interface RawPod {
  metadata: {
    name: string;
    labels: Record<string, string>;
    annotations: Record<string, string>;
    deletionTimestamp?: string;
  };
  spec: { nodeName?: string };
  status: { phase: string };
}

/** The hand that plays the kubelet in one namespace. */
export function createHand({ client, name }: TestNamespace) {
  const resources = resourcesIn(name);

  /** Of one job, or of all. */
  async function livePods(job?: string): Promise<RawPod[]> {
    const labelSelector = job === undefined ? "opal.dev/job" : `opal.dev/job=${job}`;
    const { items } = await client.list(resources.pods, { labelSelector });
    return (items as RawPod[]).filter(
      ({ metadata, status }) =>
        metadata.deletionTimestamp === undefined && ["Pending", "Running"].includes(status.phase),
    );
  }
  const startedAt = new Date(Date.now() - 2000).toISOString().replace(/\.\d+Z$/, "Z");
  const setState = (pod: RawPod, phase: string, state: object) =>
    client.patchStatus(resources.pods, pod.metadata.name, {
      status: {
        phase,
        containerStatuses: [
          { name: "runner", image: "opal/runner", imageID: "", ready: false, restartCount: 0, state },
        ],
      },
    });

  return {
    livePods,
    async apply(jobName: string, spec: object, metadata: object = {}): Promise<void> {
      await client.create(resources.opalJobs, {
        apiVersion: "opal.dev/v1alpha1",
        kind: "OpalJob",
        metadata: { name: jobName, ...metadata },
        spec: { tenant: "shop", brand: { placement: "studio" }, ...spec },
      });
    },
    async opalJob(jobName: string): Promise<OpalJob> {
      return OpalJob.parse(await client.get(resources.opalJobs, jobName));
    },
    start: (pod: RawPod) => setState(pod, "Running", { running: { startedAt } }),
    end(pod: RawPod, exitCode: number, message: string): Promise<unknown> {
      const finishedAt = new Date().toISOString().replace(/\.\d+Z$/, "Z");
      const terminated = { exitCode, message, startedAt, finishedAt };
      return setState(pod, exitCode === 0 ? "Succeeded" : "Failed", { terminated });
    },
    report: (pod: RawPod, progress: object) =>
      client.patch(resources.pods, pod.metadata.name, {
        metadata: { annotations: { "opal.dev/progress": JSON.stringify(progress) } },
      }),
  };
}

export function verdictText(changes: Partial<ShardVerdict>): string {
  return encodeVerdict({
    v: 1,
    done: "",
    failed: [],
    stages: { segment: 0, place: 0, upscale: 0 },
    gpuSeconds: 1,
    coldStartSeconds: 0.5,
    wastedGpuSeconds: 0,
    ...changes,
  });
}

/** Words of so many bytes that the manifest of several shards is left to a ConfigMap. */
export const wordyBrand = {
  placement: "generated",
  prompt: "é".repeat(2000),
  negativePrompt: "é".repeat(2000),
};

export const photos = (count: number) =>
  Array.from({ length: count }, (_, n) => ({ id: `item-${n}`, source: `raw/shop/${n}.jpg` }));

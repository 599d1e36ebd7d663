import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { stringify } from "yaml";
import * as z from "zod";
import type { Cluster, Identity } from "../../dev-cluster/cluster.ts";
import { freePort } from "../../processes/free-port.ts";
import { spawnPart } from "../../processes/part.ts";
import type { Reaper } from "../../processes/reaper.ts";
import {
  baseObjects,
  crdObjects,
  KUEUE_NAMESPACE,
  managerConfig,
  WEBHOOK_SECRET,
  webhookObjects,
} from "./manifests.ts";
import type { KueuePeer } from "./peer.ts";

const READY_SECONDS = 120;

/** For `startCluster`: with it the manager's requests can be told from others'. */
export const KUEUE_IDENTITY: Identity = { name: "kueue", user: "kueue", groups: ["system:masters"] };

export interface KueueManagerOptions {
  readonly cluster: Cluster;
  readonly peer: KueuePeer;
  readonly reaper: Reaper;
  /** Takes its configuration, certificates and log. */
  readonly dir: string;
  /** The kubeconfig that it uses, default `admin`. */
  readonly identity?: string;
}

export interface KueueManager {
  readonly pid: number;
  readonly logFile: string;
  stop(): Promise<void>;
}

/**
 * Installs Kueue in a cluster and starts its full manager, for batch Jobs, as a process of this machine. Resolves
 * when its webhooks answer.
 * @throws {Error} with the end of its log when it does not start
 */
export async function startKueueManager(options: KueueManagerOptions): Promise<KueueManager> {
  const { cluster, peer, reaper, dir, identity = "admin" } = options;
  const certDir = join(dir, "kueue-certificates");
  await mkdir(certDir, { recursive: true, mode: 0o700 });
  const ports = { webhook: await freePort(), metrics: await freePort(), health: await freePort() };
  await install(cluster, peer, ports.webhook);
  const config = join(dir, "kueue.yaml");
  await writeFile(config, stringify(managerConfig(ports, certDir)));
  const logFile = join(dir, "kueue.log");
  const kubeconfig = cluster.kubeconfig(identity);
  const part = await spawnPart(
    {
      name: "kueue",
      command: peer.manager,
      // What VisibilityOnDemand serves is an aggregated API, which would need a pod behind a Service.
      args: ["--config", config, "--kubeconfig", kubeconfig, "--feature-gates=VisibilityOnDemand=false"],
      env: { HOME: dir },
      cwd: dir,
      logFile,
      readiness: { by: "probe", deadlineSeconds: READY_SECONDS, probe: readyProbe(cluster, certDir) },
    },
    reaper,
  );
  return { pid: part.pid, logFile, stop: async () => void (await part.stop()) };
}

async function install(cluster: Cluster, peer: KueuePeer, webhookPort: number): Promise<void> {
  const crds = crdObjects(await textsIn(peer.crds), await textsIn(peer.crdPatches), webhookPort);
  const webhooks = webhookObjects(await readFile(peer.webhooks, "utf8"), webhookPort);
  await applyObjects(cluster, [...baseObjects(), ...crds, ...webhooks]);
}

async function textsIn(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(".yaml")).sort();
  return Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
}

async function applyObjects(cluster: Cluster, items: readonly object[]): Promise<void> {
  const input = JSON.stringify({ apiVersion: "v1", kind: "List", items });
  const { code, stderr } = await cluster.kubectl(["apply", "--server-side", "--force-conflicts", "-f", "-"], {
    input,
  });
  if (code !== 0) throw new Error(`Kueue could not be set up in the cluster: ${stderr}`);
}

const Secret = z.object({ data: z.record(z.string(), z.base64()).optional() });

/**
 * The manager makes its certificates itself and waits until the kubelet has put them into its folder: here that
 * is our part. Then it is ready as soon as its webhooks let an object pass.
 */
function readyProbe(cluster: Cluster, certDir: string): () => Promise<true | undefined> {
  let isMounted = false;
  return async () => {
    isMounted ||= await mountCertificate(cluster, certDir);
    if (!isMounted) return undefined;
    const input = JSON.stringify({
      apiVersion: "kueue.x-k8s.io/v1beta2",
      kind: "ResourceFlavor",
      metadata: { name: "probe" },
    });
    const { code, stderr } = await cluster.kubectl(["create", "--dry-run=server", "-f", "-"], { input });
    if (code === 0) return true;
    throw new Error(stderr);
  };
}

async function mountCertificate(cluster: Cluster, certDir: string): Promise<boolean> {
  const asked = ["get", "secret", WEBHOOK_SECRET, "-n", KUEUE_NAMESPACE, "-o", "json"];
  const { stdout } = await cluster.kubectl(asked);
  const { data = {} } = Secret.parse(JSON.parse(stdout));
  if (data["tls.crt"] === undefined) return false;
  // The manager looks for the certificate: it must find it whole, and its key already there.
  for (const name of ["ca.crt", "tls.key", "tls.crt"]) {
    const file = join(certDir, name);
    await writeFile(`${file}.part`, Buffer.from(data[name] ?? "", "base64"), { mode: 0o600 });
    await rename(`${file}.part`, file);
  }
  return true;
}

export interface KueueQueueOptions {
  /** Of the ClusterQueue, the LocalQueue and the ResourceFlavor. */
  readonly name: string;
  /** Of the LocalQueue. */
  readonly namespace: string;
  /** GPUs that may be in use at once. */
  readonly gpus: number;
  /** Default `nvidia.com/gpu`. */
  readonly resource?: string;
}

/** One queue with a quota of GPUs, in a cluster with a running manager. */
export async function createKueueQueue(cluster: Cluster, options: KueueQueueOptions): Promise<void> {
  const { name, namespace, gpus, resource = "nvidia.com/gpu" } = options;
  const object = (kind: string, spec: object, at: object = {}) => ({
    apiVersion: "kueue.x-k8s.io/v1beta2",
    kind,
    metadata: { name, ...at },
    spec,
  });
  const flavors = [{ name, resources: [{ name: resource, nominalQuota: gpus }] }];
  await applyObjects(cluster, [
    object("ResourceFlavor", {}),
    object("ClusterQueue", {
      namespaceSelector: {},
      resourceGroups: [{ coveredResources: [resource], flavors }],
    }),
    object("LocalQueue", { clusterQueue: name }, { namespace }),
  ]);
}

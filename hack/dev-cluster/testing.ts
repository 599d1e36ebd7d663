/** What tests on a real cluster share: a small cluster, its API as typed calls, and pods that are run to their end. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  BatchV1Api,
  CoreV1Api,
  KubeConfig,
  type V1Container,
  type V1Pod,
  type V1PodSpec,
} from "@kubernetes/client-node";
import { startCluster, type Cluster, type ClusterOptions } from "./cluster.ts";

export type { Cluster } from "./cluster.ts";

const PATIENCE_MILLISECONDS = 30_000;
const POLL_MILLISECONDS = 25;

/** One node with eight simulated GPUs, gone with the test file. */
export function startTestCluster(options: ClusterOptions = {}): Promise<Cluster> {
  return startCluster({ nodes: [{ name: "gpu-0", gpus: 8, gpuClass: "simulated" }], ...options });
}

export interface Api {
  readonly core: CoreV1Api;
  readonly batch: BatchV1Api;
}

export function apiOf(cluster: Cluster, identity = "admin"): Api {
  const config = new KubeConfig();
  config.loadFromFile(cluster.kubeconfig(identity));
  return { core: config.makeApiClient(CoreV1Api), batch: config.makeApiClient(BatchV1Api) };
}

/** Polls until the look finds something. @throws with what it was waiting for after 30 s */
export async function eventually<T>(what: string, look: () => Promise<T | undefined | false>): Promise<T> {
  const deadline = performance.now() + PATIENCE_MILLISECONDS;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > deadline) throw new Error(`it never happened that ${what}`);
    await sleep(POLL_MILLISECONDS);
  }
}

/** A pod of one container `c` in namespace default that runs a shell script, never restarted. */
export function aPod(
  name: string,
  script: string,
  { container = {}, spec = {} }: { container?: Partial<V1Container>; spec?: Partial<V1PodSpec> } = {},
): V1Pod {
  return {
    metadata: { name },
    spec: {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 1,
      containers: [{ name: "c", image: "any", command: ["sh", "-c", script], ...container }],
      ...spec,
    },
  };
}

const NAMESPACE = "default";

export async function create({ core }: Api, pod: V1Pod): Promise<void> {
  await core.createNamespacedPod({ namespace: NAMESPACE, body: pod });
}

/** @returns undefined when there is no such pod */
export async function podOf({ core }: Api, name: string): Promise<V1Pod | undefined> {
  return core.readNamespacedPod({ namespace: NAMESPACE, name }).catch((error: { code?: number }) => {
    if (error.code === 404) return undefined;
    throw error;
  });
}

export function isOver(pod: V1Pod | undefined): boolean {
  return pod?.status?.phase === "Succeeded" || pod?.status?.phase === "Failed";
}

/** Waits for a pod of which the condition holds. */
export function podThat(
  api: Api,
  name: string,
  what: string,
  holds: (pod: V1Pod) => boolean,
): Promise<V1Pod> {
  return eventually(`pod ${name} ${what}`, async () => {
    const pod = await podOf(api, name);
    return pod !== undefined && holds(pod) && pod;
  });
}

export const running = (api: Api, name: string) =>
  podThat(api, name, "runs", (pod) => pod.status?.containerStatuses?.[0]?.state?.running !== undefined);

export const finished = (api: Api, name: string) => podThat(api, name, "is over", isOver);

/** Creates the pod and waits for its end. */
export async function runPod(api: Api, pod: V1Pod): Promise<V1Pod> {
  await create(api, pod);
  return finished(api, pod.metadata?.name ?? "");
}

/** How the pod's first container ended. */
export function endOf(pod: V1Pod) {
  const end = pod.status?.containerStatuses?.[0]?.state?.terminated;
  if (!end) throw new Error(`${pod.metadata?.name} has not ended: ${JSON.stringify(pod.status)}`);
  return end;
}

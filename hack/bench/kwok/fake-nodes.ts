import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { LABELS } from "#crds/names.ts";
import type { Cluster } from "../../dev-cluster/cluster.ts";
import { spawnPart } from "../../processes/part.ts";
import type { Reaper } from "../../processes/reaper.ts";
import { kwokConfig } from "./stages.ts";

const READY_SECONDS = 60;

export interface FakeNodes {
  /** kwok's program. */
  readonly program: string;
  readonly nodes: number;
  readonly gpusPerNode: number;
  readonly gpuClass: string;
  /** How long each pod runs. */
  readonly runMilliseconds: number;
}

export interface Place {
  readonly cluster: Cluster;
  /** Takes kwok's configuration and log. */
  readonly folder: string;
  readonly reaper: Reaper;
}

/** Adds nodes with GPUs that are not there and starts kwok, which plays their kubelets. @returns how to stop it */
export async function startFakeNodes(settings: FakeNodes, { cluster, folder, reaper }: Place) {
  const config = join(folder, "kwok.yaml");
  await writeFile(config, kwokConfig(settings));
  const items = Array.from({ length: settings.nodes }, (_, n) => fakeNode(`fake-${n}`, settings));
  await kubectl(cluster, ["create", "-f", "-"], JSON.stringify({ apiVersion: "v1", kind: "List", items }));
  const part = await spawnPart(
    {
      name: "kwok",
      command: settings.program,
      args: ["--config", config, "--kubeconfig", cluster.kubeconfig()],
      env: { HOME: folder },
      cwd: folder,
      logFile: join(folder, "kwok.log"),
      readiness: {
        by: "probe",
        deadlineSeconds: READY_SECONDS,
        probe: async () => {
          await kubectl(cluster, ["wait", "--for=condition=Ready", "node", "--all", "--timeout=1s"]);
          return true;
        },
      },
    },
    reaper,
  );
  return async () => void (await part.stop());
}

function fakeNode(name: string, { gpusPerNode, gpuClass }: FakeNodes): object {
  const resources = { cpu: "64", memory: "256Gi", pods: "500", "nvidia.com/gpu": String(gpusPerNode) };
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { [LABELS.gpuClass]: gpuClass },
      annotations: { "kwok.x-k8s.io/node": "fake" },
    },
    status: { capacity: resources, allocatable: resources },
  };
}

async function kubectl(cluster: Cluster, args: readonly string[], input?: string): Promise<void> {
  const { code, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args[0]} failed: ${stderr}`);
}

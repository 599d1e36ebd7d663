import { fileURLToPath } from "node:url";
import type { Cluster } from "../dev-cluster/cluster.ts";
import { type PoolSettings, poolsAndQueue, runnerSecret } from "./settings.ts";

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

const CRDS = ["opaljob", "gpupool", "opalqueue"];

/** Kinds and rights: what a cluster must hold before the operator starts. */
export async function installOpal(cluster: Cluster): Promise<void> {
  const manifests = [
    "charts/opal/rbac.yaml",
    "charts/opal/runner-policy.yaml",
    ...CRDS.map((name) => `crds/${name}.yaml`),
  ];
  await apply(
    cluster,
    manifests.flatMap((path) => ["-f", file(path)]),
  );
  await run(cluster, ["wait", "--for=condition=Established", ...CRDS.map((name) => `crd/${name}s.opal.dev`)]);
}

/** The same with the runner's secret, pools, and a queue for everybody. */
export async function prepareCluster(
  cluster: Cluster,
  blobConnectionString: string,
  pools: readonly PoolSettings[],
): Promise<void> {
  await installOpal(cluster);
  const objects = [runnerSecret(blobConnectionString), ...poolsAndQueue(pools)];
  const list = { apiVersion: "v1", kind: "List", items: objects };
  await apply(cluster, ["-f", "-"], JSON.stringify(list));
}

function apply(cluster: Cluster, args: readonly string[], input?: string): Promise<void> {
  return run(cluster, ["apply", "--server-side", "--force-conflicts", ...args], input);
}

async function run(cluster: Cluster, args: readonly string[], input?: string): Promise<void> {
  const { code, stderr } = await cluster.kubectl(args, input === undefined ? {} : { input });
  if (code !== 0) throw new Error(`kubectl ${args.join(" ")} failed: ${stderr}`);
}

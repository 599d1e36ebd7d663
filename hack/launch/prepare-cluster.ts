import { fileURLToPath } from "node:url";
import type { Cluster } from "../dev-cluster/cluster.ts";
import { runnerSecret } from "./settings.ts";

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** What a cluster must hold before the operator starts: namespace, identities' rights, CRD, runner's secret. */
export async function prepareCluster(cluster: Cluster, blobConnectionString: string): Promise<void> {
  const manifests = ["charts/opal/rbac.yaml", "charts/opal/runner-policy.yaml", "crds/opaljob.yaml"];
  await apply(
    cluster,
    manifests.flatMap((path) => ["-f", file(path)]),
  );
  await apply(cluster, ["-f", "-"], JSON.stringify(runnerSecret(blobConnectionString)));
}

async function apply(cluster: Cluster, args: readonly string[], input?: string): Promise<void> {
  const { code, stderr } = await cluster.kubectl(
    ["apply", "--server-side", "--force-conflicts", ...args],
    input === undefined ? {} : { input },
  );
  if (code !== 0) throw new Error(`kubectl apply ${args.join(" ")} failed: ${stderr}`);
}

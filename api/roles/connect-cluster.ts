import { KubeConfig } from "@kubernetes/client-node";
import { type OpalJobs, createOpalJobs } from "../cluster/opaljobs.ts";
import type { RoleContext } from "./role.ts";

/** KUBECONFIG, or the pod's service account. */
export function connectCluster(namespace: string, { log }: RoleContext): OpalJobs {
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromDefault();
  return createOpalJobs({
    kubeConfig,
    namespace,
    onUnreadable: (job, problem) => log.error({ job, problem }, "unreadable OpalJob"),
  });
}

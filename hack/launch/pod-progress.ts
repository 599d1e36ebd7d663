import { CoreV1Api, KubeConfig } from "@kubernetes/client-node";
import { ANNOTATIONS, LABELS } from "#crds/names.ts";
import { ShardProgress } from "#crds/runner-report.ts";

/** Reads what the pods of an OpalJob say of their progress; pods that have said nothing yet are left out. */
export function createPodProgress(kubeconfig: string, namespace: string) {
  const config = new KubeConfig();
  config.loadFromFile(kubeconfig);
  const core = config.makeApiClient(CoreV1Api);
  return async (job: string): Promise<ShardProgress[]> => {
    const { items } = await core.listNamespacedPod({ namespace, labelSelector: `${LABELS.job}=${job}` });
    return items.flatMap(({ metadata }) => {
      const text = metadata?.annotations?.[ANNOTATIONS.progress];
      return text === undefined ? [] : [ShardProgress.parse(JSON.parse(text))];
    });
  };
}

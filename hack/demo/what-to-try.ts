import type { Opal } from "../launch/launch.ts";

/** What `--keep` leaves running and how to look at it. */
export function whatToTry(opal: Opal, tenant: string): string {
  return `
everything is running (Ctrl-C stops it):
  api         ${opal.apiUrl}   (OPAL_KEY=${opal.apiKeys[tenant]})
  operator    ${opal.operatorMetricsUrl}
  blobs       ${opal.stack.blob.endpoint}
  logs        ${opal.dir}

  export KUBECONFIG=${opal.cluster.kubeconfig("engineer")}
  kubectl get oj
  kubectl apply -f crds/examples/opaljob.yaml
  kubectl describe oj coffee
  kubectl logs -f -l opal.dev/job=coffee
  kubectl delete oj coffee
(no kubectl here? "npm run kubectl -- get oj" is the same)`;
}

/** Who a pod is to the API server: the token that it finds is bound to it, and a policy can tell pods apart by it. */
import { KubeConfig, CoreV1Api, PatchStrategy, setHeaderOptions } from "@kubernetes/client-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { cacheDir } from "../cache/cache-dir.ts";
import { ensureDevCluster } from "./build.ts";
import {
  aPod,
  apiOf,
  create,
  eventually,
  podOf,
  running,
  runPod,
  startTestCluster,
  type Api,
  type Cluster,
} from "./testing.ts";

const DIRECTORY = "/var/run/secrets/kubernetes.io/serviceaccount";
const CLAIM = "authentication.kubernetes.io/pod-name";

/** Pods may be patched by every service account, but each only by its own pod's token. */
const POLICY = `
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: patch-pods}
rules: [{apiGroups: [""], resources: [pods], verbs: [get, patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: patch-pods}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: patch-pods}
subjects: [{kind: Group, apiGroup: rbac.authorization.k8s.io, name: "system:serviceaccounts"}]
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: own-pod-only}
spec:
  matchConstraints:
    resourceRules: [{apiGroups: [""], apiVersions: [v1], operations: [UPDATE], resources: [pods]}]
  matchConditions:
  - {name: by-a-pod, expression: "'${CLAIM}' in request.userInfo.extra"}
  validations:
  - {expression: "request.userInfo.extra['${CLAIM}'] == [request.name]", message: a pod may change itself only}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: own-pod-only}
spec: {policyName: own-pod-only, validationActions: [Deny]}
`;

let cluster: Cluster;
let api: Api;
beforeAll(async () => {
  cluster = await startTestCluster();
  api = apiOf(cluster);
  const { code, stderr } = await cluster.kubectl(["apply", "-f", "-"], { input: POLICY });
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
});
afterAll(() => cluster.stop());

const log = async (name: string) => (await cluster.kubectl(["logs", name])).stdout;

function asHolder(token: string): CoreV1Api {
  const config = new KubeConfig();
  const admin = new KubeConfig();
  admin.loadFromFile(cluster.kubeconfig());
  const server = admin.getCurrentCluster();
  if (!server) throw new Error("the kubeconfig names no cluster");
  config.loadFromClusterAndUser(server, { name: "pod", token });
  return config.makeApiClient(CoreV1Api);
}

function annotate(core: CoreV1Api, name: string) {
  const body = { metadata: { annotations: { progress: "half" } } };
  return core.patchNamespacedPod(
    { namespace: "default", name, body },
    setHeaderOptions("Content-Type", PatchStrategy.MergePatch),
  );
}

test("a pod's token names the pod, and a policy lets it change itself and no other", async () => {
  await create(api, aPod("other", "sleep 300"));
  await create(
    api,
    aPod("holder", `cat ${DIRECTORY}/token; echo; cat ${DIRECTORY}/namespace; echo; sleep 300`),
  );
  await running(api, "other");
  await running(api, "holder");
  const [token = "", namespace] = await eventually("the token is told", async () => {
    const lines = (await log("holder")).split("\n");
    return lines.length >= 3 && lines;
  });
  expect(namespace).toBe("default");
  const claims = JSON.parse(Buffer.from(token.split(".")[1] ?? "", "base64url").toString()) as unknown;
  expect(claims).toMatchObject({
    sub: "system:serviceaccount:default:default",
    "kubernetes.io": {
      pod: { name: "holder", uid: (await podOf(api, "holder"))?.metadata?.uid },
      node: { name: "gpu-0" },
    },
  });

  const pod = asHolder(token);
  // The policy takes effect a moment after it was made: until then the other pod could be changed.
  await eventually("another pod's change is refused", () =>
    annotate(pod, "other").then(
      () => false,
      (error: { body?: unknown }) => String(error.body).includes("a pod may change itself only"),
    ),
  );
  await annotate(pod, "holder");
  expect((await podOf(api, "holder"))?.metadata?.annotations).toEqual({ progress: "half" });
});

test("a client inside a pod finds the API server without being told", async () => {
  const { kubectl } = await ensureDevCluster({ cache: cacheDir(process.env) });
  await runPod(
    api,
    aPod("client", `HOME=$PWD ${kubectl} auth whoami -o jsonpath='{.status.userInfo.username}'`),
  );
  expect(await log("client")).toBe("system:serviceaccount:default:default\n");
});

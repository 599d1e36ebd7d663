import { readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import { type ApiClient, createApiClient } from "./runtime/api-client.ts";
import { loadClusterAccess } from "./runtime/cluster-access.ts";
import { ApiStatusError } from "./runtime/errors.ts";
import { createKubeHttp, type KubeHttp } from "./runtime/kube-http.ts";
import {
  createTestNamespace,
  eventually,
  openTestCluster,
  type TestCluster,
  type TestNamespace,
} from "./testing.ts";

/** charts/opal/runner-policy.yaml: a runner's token may change one annotation of its own pod, and nothing else. */

let cluster: TestCluster;
let namespace: TestNamespace;
let admin: KubeHttp;
let own: ApiClient;
let unbound: ApiClient;
const closers: (() => void)[] = [];
const POLICIES = ["validatingadmissionpolicies", "validatingadmissionpolicybindings"] as const;
const at = (plural: string) => ({ group: "admissionregistration.k8s.io", version: "v1", plural });
const pods = () => ({ group: "", version: "v1", plural: "pods", namespace: namespace.name });

beforeAll(async () => {
  cluster = await openTestCluster();
  namespace = await createTestNamespace(cluster);
  admin = createKubeHttp(await loadClusterAccess({ kubeconfig: cluster.kubeconfig }), "policy-test");
  const yaml = readFileSync(new URL("../charts/opal/runner-policy.yaml", import.meta.url), "utf8")
    .replaceAll("opal-runner-own-progress", `${namespace.name}-policy`)
    .replace("serviceaccount:opal:", `serviceaccount:${namespace.name}:`);
  for (const [n, document] of parseAllDocuments(yaml).entries()) {
    await namespace.client.create(at(POLICIES[n]!), document.toJS() as object);
  }
  for (const name of ["mine", "other"]) await namespace.client.create(pods(), aPod(name));
  own = await runnerClient("mine");
  unbound = await runnerClient(undefined);
  await eventually("the policy is in force", async () => (await attempt(unbound, "mine", progress)) === 403);
});

afterAll(async () => {
  for (const plural of POLICIES) await namespace.client.delete(at(plural), `${namespace.name}-policy`);
  for (const name of ["mine", "other"]) await namespace.client.delete(pods(), name);
  admin.close();
  for (const close of closers) close();
  await namespace.remove();
  await cluster.close();
});

function aPod(name: string): object {
  return {
    metadata: { name, labels: { keep: "me" }, annotations: { keep: "me" } },
    spec: {
      serviceAccountName: "opal-runner",
      nodeSelector: { "opal.dev/gpu-class": "none" },
      containers: [{ name: "runner", image: "opal/runner" }],
    },
  };
}

/** A client with a token as the kubelet gives it to a pod, or one that is bound to none. */
async function runnerClient(pod: string | undefined): Promise<ApiClient> {
  const boundObjectRef =
    pod === undefined ? {} : { boundObjectRef: { kind: "Pod", apiVersion: "v1", name: pod } };
  const { body } = await admin.request({
    method: "POST",
    path: `/api/v1/namespaces/${namespace.name}/serviceaccounts/opal-runner/token`,
    body: {
      apiVersion: "authentication.k8s.io/v1",
      kind: "TokenRequest",
      spec: { expirationSeconds: 3600, ...boundObjectRef },
    },
  });
  const { token } = (JSON.parse(body) as { status: { token: string } }).status;
  const access = await loadClusterAccess({ kubeconfig: cluster.kubeconfig });
  const { cert: _cert, key: _key, ...tls } = access.tls;
  const http = createKubeHttp(
    { ...access, tls, authorization: () => Promise.resolve(`Bearer ${token}`) },
    "runner",
  );
  closers.push(() => http.close());
  return createApiClient({ http, gate: () => Promise.resolve(undefined), observer: { requested() {} } });
}

async function attempt(client: ApiClient, pod: string, change: object): Promise<number> {
  try {
    await client.patch(pods(), pod, change);
    return 200;
  } catch (error) {
    if (error instanceof ApiStatusError) return error.status;
    throw error;
  }
}

const progress = { metadata: { annotations: { "opal.dev/progress": "{}" } } };

it.each([
  ["its progress", "mine", progress, 200],
  ["away its progress", "mine", { metadata: { annotations: { "opal.dev/progress": null } } }, 200],
  ["another pod's progress", "other", progress, 403],
  ["a further annotation", "mine", { metadata: { annotations: { other: "x" } } }, 403],
  ["away an annotation of somebody else", "mine", { metadata: { annotations: { keep: null } } }, 403],
  ["its labels", "mine", { metadata: { labels: { keep: "you" } } }, 403],
  ["its finalizers", "mine", { metadata: { finalizers: ["opal.dev/x"] } }, 403],
  ["its spec", "mine", { spec: { activeDeadlineSeconds: 1 } }, 403],
  [
    "progress of more than 8,192 characters",
    "mine",
    { metadata: { annotations: { "opal.dev/progress": "x".repeat(8193) } } },
    403,
  ],
])("a runner that changes %s gets its answer", async (_what, pod, change, want) => {
  expect(await attempt(own, pod, change)).toBe(want);
});

it("a runner's account without a pod changes nothing", async () => {
  expect(await attempt(unbound, "mine", progress)).toBe(403);
});

it("a runner may read its pod, but neither list, create nor delete pods nor write their status", async () => {
  await expect(own.get(pods(), "mine")).resolves.toMatchObject({ metadata: { name: "mine" } });
  for (const forbidden of [
    () => own.list(pods(), {}),
    () => own.create(pods(), aPod("third")),
    () => own.delete(pods(), "mine"),
    () => own.patchStatus(pods(), "mine", { status: { phase: "Succeeded" } }),
  ]) {
    await expect(forbidden()).rejects.toMatchObject({ status: 403 });
  }
});

it("others are not held up by the policy", async () => {
  expect(await attempt(namespace.client, "other", { metadata: { labels: { keep: "new" } } })).toBe(200);
});

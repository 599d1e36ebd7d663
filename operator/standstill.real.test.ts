/** What no pod tells, on a real control plane: a quota without room, a service account that is missing. */
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { cacheDir } from "../hack/cache/cache-dir.ts";
import { ensureDevCluster } from "../hack/dev-cluster/build.ts";
import { runKubectl } from "../hack/dev-cluster/kubectl.ts";
import type { Resource } from "./runtime/api-client.ts";
import {
  createHand,
  createTestNamespace,
  eventually,
  openTestCluster,
  photos,
  type RunningOperator,
  startOperator,
  type TestCluster,
  type TestNamespace,
  verdictText,
} from "./testing.ts";

/** The Job controller waits longer from try to try, up to a minute. */
const CREATED_WITHIN_MS = 75_000;
/** Who is asked before the event is there is asked again half a minute later. */
const TOLD_WITHIN_MS = 60_000;

let cluster: TestCluster;
let namespace: TestNamespace;
let hand: ReturnType<typeof createHand>;
let operator: RunningOperator;

beforeAll(async () => {
  cluster = await openTestCluster();
});
afterAll(() => cluster.close());
afterEach(async () => {
  operator.kill("SIGKILL");
  await operator.exited;
  await namespace.remove();
});

async function aScene(changes: object = {}): Promise<void> {
  namespace = await createTestNamespace(cluster);
  hand = createHand(namespace);
  operator = startOperator(namespace, changes);
  await operator.ready;
}

const core = (plural: string): Resource => ({ group: "", version: "v1", plural, namespace: namespace.name });

async function running(job: string, reason: string) {
  let last: unknown;
  try {
    return await eventually(
      `Running ${reason} of ${job}`,
      async () => {
        const { status } = await hand.opalJob(job);
        const found = status.conditions?.find(({ type }) => type === "Running");
        last = found;
        return found?.reason === reason && found;
      },
      TOLD_WITHIN_MS,
    );
  } catch (error) {
    throw new Error(`last seen: ${JSON.stringify(last)}`, { cause: error });
  }
}

/** The API server hears of a new quota a moment after it was created: a pod is refused only then. */
async function isInForce(): Promise<void> {
  const pod = { metadata: { name: "probe" }, spec: { containers: [{ name: "probe", image: "opal/probe" }] } };
  await eventually("the quota is in force", async () => {
    try {
      await namespace.client.create(core("pods"), { apiVersion: "v1", kind: "Pod", ...pod });
    } catch (error) {
      return error instanceof Error && error.message.includes("exceeded quota");
    }
    await namespace.client.delete(core("pods"), pod.metadata.name);
    return false;
  });
}

async function describe(job: string): Promise<string> {
  const { kubectl } = await ensureDevCluster({ cache: cacheDir(process.env) });
  const { stdout, stderr } = await runKubectl(kubectl, ["describe", "oj", job, "-n", namespace.name], {
    kubeconfig: cluster.kubeconfig,
    dir: namespace.folder,
  });
  return stdout + stderr;
}

async function complete(job: string): Promise<void> {
  const pod = await eventually("a pod", async () => (await hand.livePods(job))[0], CREATED_WITHIN_MS);
  await hand.start(pod);
  await hand.end(pod, EXIT_CODES.done, verdictText({ done: "0" }));
  await eventually("the job is complete", async () => (await hand.opalJob(job)).status.phase === "Complete");
}

it("tells of a quota that has no room, and completes once it has", { timeout: 180_000 }, async () => {
  await aScene();
  const quotas = core("resourcequotas");
  const hard = (pods: string) => ({ spec: { hard: { pods } } });
  await namespace.client.create(quotas, { metadata: { name: "small" }, ...hard("0") });
  await isInForce();
  await hand.apply("held", { items: photos(1) });
  const { status, message } = await running("held", "NamespaceQuotaExhausted");
  expect(status).toBe("False");
  expect(message).toBe(
    "ResourceQuota small leaves no room for the job's pods: requested: pods=1, used: pods=0, limited: pods=0. It goes on by itself, within a minute, once the quota has room.",
  );
  const told = await eventually("the event", async () => {
    const text = await describe("held");
    return /Warning +NamespaceQuotaExhausted/.test(text) && text;
  });
  expect(told.split(message)).toHaveLength(3);
  await namespace.client.patch(quotas, "small", hard("5"));
  await complete("held");
});

it("tells of a missing service account, and completes once it is there", { timeout: 180_000 }, async () => {
  await aScene({ runner: { image: "opal/runner", serviceAccountName: "late" } });
  await hand.apply("refused", { items: photos(1) });
  const { message } = await running("refused", "PodsRefused");
  expect(message).toMatch(/^The pods' ServiceAccount late does not exist\. /);
  await namespace.client.create(core("serviceaccounts"), { metadata: { name: "late" } });
  await complete("refused");
});

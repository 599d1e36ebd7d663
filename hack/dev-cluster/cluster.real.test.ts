/** The life of clusters: side by side, started again, struck by faults, and never outliving who started them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startCluster } from "./cluster.ts";
import {
  aPod,
  apiOf,
  create,
  endOf,
  eventually,
  finished,
  podThat,
  running,
  runPod,
  startTestCluster,
  type Api,
  type Cluster,
} from "./testing.ts";
import { processesNaming } from "../processes/processes-naming.ts";

const OPERATOR = {
  name: "operator",
  user: "system:serviceaccount:opal:opal-operator",
  groups: ["system:serviceaccounts", "system:serviceaccounts:opal"],
  namespace: "opal",
};

let folder: string;
let cluster: Cluster;
let api: Api;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "opal-clusters-"));
  cluster = await startTestCluster({ identities: [OPERATOR], nodeGraceSeconds: 4 });
  api = apiOf(cluster);
});
afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true, force: true });
});

async function names(of: Cluster): Promise<string[]> {
  const { items } = await apiOf(of).core.listNamespacedConfigMap({ namespace: "default" });
  return items.map(({ metadata }) => metadata?.name ?? "").filter((name) => name !== "kube-root-ca.crt");
}
const note = (of: Cluster, name: string) =>
  apiOf(of).core.createNamespacedConfigMap({ namespace: "default", body: { metadata: { name } } });

describe("who is who", () => {
  test("a kubeconfig speaks as its identity, with its namespace", async () => {
    const { stdout } = await cluster.kubectl(["auth", "whoami", "-o", "json"], { identity: "operator" });
    const { status } = JSON.parse(stdout) as { status: { userInfo: unknown } };
    expect(status.userInfo).toMatchObject({
      username: OPERATOR.user,
      groups: [...OPERATOR.groups, "system:authenticated"],
    });
    const { stderr } = await cluster.kubectl(["get", "pods"], { identity: "operator" });
    expect(stderr).toMatch(/opal-operator.* cannot list resource "pods".* in the namespace "opal"/);
  });

  test("strangers learn whether the server is ready, and nothing else", async () => {
    const status = (path: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        get(`${cluster.server}${path}`, { rejectUnauthorized: false, agent: false }, (response) => {
          response.resume();
          resolve(response.statusCode);
        }).on("error", reject);
      });
    expect([await status("/readyz"), await status("/version"), await status("/api/v1/pods")]).toEqual([
      200, 401, 401,
    ]);
  });
});

test("clusters run side by side; one in a folder is found again, at its address", async () => {
  const dir = join(folder, "kept");
  const [kept, other] = await Promise.all([startCluster({ dir }), startCluster()]);
  try {
    await Promise.all([note(kept, "in-kept"), note(other, "in-other")]);
    expect([await names(kept), await names(other)]).toEqual([["in-kept"], ["in-other"]]);
    await expect(startCluster({ dir })).rejects.toThrow("already running");
  } finally {
    await Promise.all([kept.stop(), other.stop()]);
  }
  const again = await startCluster({ dir });
  try {
    expect(await names(again)).toEqual(["in-kept"]);
    expect(again.server).toBe(kept.server);
  } finally {
    await again.stop();
  }
});

test("a cluster that cannot start says why", async () => {
  const nodes = [{ name: "Not A Name" }];
  await expect(startCluster({ nodes })).rejects.toThrow('node "Not A Name"');
  const extraArgs = { apiserver: ["--no-such-flag"] };
  await expect(startCluster({ extraArgs })).rejects.toThrow(
    /apiserver ended .*unknown flag: --no-such-flag/s,
  );
});

describe("faults", () => {
  test("etcd and the API server come back, and pods do not notice", async () => {
    await create(api, aPod("steady", `until [ -e ${folder}/enough ]; do sleep 0.05; done; exit 4`));
    await running(api, "steady");
    for (const component of ["etcd", "apiserver"]) await cluster.control("restart", component);
    await runPod(api, aPod("ends-it", `touch ${folder}/enough`));
    expect(endOf(await finished(api, "steady")).exitCode).toBe(4);
  });

  test("the API server may go again while those that need it are still starting", async () => {
    for (const pauseMilliseconds of [0, 150, 300, 450]) {
      await cluster.control("restart", "etcd");
      await setTimeout(pauseMilliseconds);
      await cluster.control("restart", "apiserver");
    }
    const { components } = await cluster.control("status");
    expect(Object.values(components ?? {}).every((pid) => pid > 0)).toBe(true);
    expect(endOf(await runPod(api, aPod("still-scheduled", "exit 0"))).exitCode).toBe(0);
  });

  test("a pod that ends while the API server is away is reported when it is back", async () => {
    await create(api, aPod("unseen", `until [ -e ${folder}/away ]; do sleep 0.05; done; exit 5`));
    await running(api, "unseen");
    await cluster.control("stop", "apiserver");
    await writeFile(join(folder, "away"), "");
    await eventually(
      "its process is gone",
      async () => (await processesNaming(`${folder}/away`)).length === 0,
    );
    await cluster.control("start", "apiserver");
    expect(endOf(await finished(api, "unseen")).exitCode).toBe(5);
  });

  test("a node's power cut: its pods' processes end, the node is lost, and the pods too when it is back", async () => {
    await create(api, aPod("on-lost-node", "MARK=on-the-lost-node sleep 300"));
    await running(api, "on-lost-node");
    await cluster.control("lose-node", "gpu-0");
    expect(await processesNaming("on-the-lost-node")).toEqual([]);
    await eventually("the node is lost", async () => {
      const node = await api.core.readNode({ name: "gpu-0" });
      return node.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "Unknown");
    });
    await podThat(api, "on-lost-node", "still counts as running", (pod) => pod.status?.phase === "Running");
    await cluster.control("restore-node", "gpu-0");
    const pod = await finished(api, "on-lost-node");
    expect(pod.status).toMatchObject({ phase: "Failed", reason: "NodeLost" });
    expect(endOf(pod)).toMatchObject({ exitCode: 137, reason: "ContainerStatusUnknown" });
    expect(endOf(await runPod(api, aPod("after", "exit 0"))).exitCode).toBe(0);
  });

  test("what it cannot do is told", async () => {
    await cluster.control("stop", "apiserver");
    await expect(cluster.control("start", "scheduler")).rejects.toThrow("needs etcd and the API server");
    await cluster.control("start", "apiserver");
    await expect(cluster.control("restart", "kubelet")).rejects.toThrow("kubelet");
    await expect(cluster.control("lose-node", "nowhere")).rejects.toThrow("nowhere");
  });
});

test("the end of a component ends the cluster, which says which and why", async () => {
  const struck = await startCluster();
  const { components } = await struck.control("status");
  process.kill(components?.["scheduler"] ?? 0, "SIGKILL");
  expect((await struck.broken).message).toMatch(/scheduler ended \(signal: killed\)/);
  expect(await processesNaming(struck.dir)).toEqual([]);
});

test("whoever waits for an answer when a cluster ends is told why", async () => {
  const struck = await startCluster();
  const { components } = await struck.control("status");
  const answer = expect(struck.control("restart", "apiserver")).rejects.toThrow(
    /the cluster has ended: etcd ended \(signal: killed\)/,
  );
  await eventually("the API server is killed", async () => !isAlive(components?.["apiserver"] ?? 0));
  process.kill(components?.["etcd"] ?? 0, "SIGKILL");
  await answer;
  await struck.broken;
});

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe("kill -9 leaves nothing behind", () => {
  /** Another process that holds a cluster with a pod whose child has left its process group. */
  async function aHolder() {
    const testing = fileURLToPath(new URL("testing.ts", import.meta.url));
    const program = `
      import { aPod, apiOf, create, running, startTestCluster } from ${JSON.stringify(testing)};
      const cluster = await startTestCluster();
      const api = apiOf(cluster);
      await create(api, aPod("p", "setsid sleep 300 & sleep 300"));
      await running(api, "p");
      console.log(JSON.stringify({ dir: cluster.dir, pid: cluster.pid }));`;
    const holder = spawn(process.execPath, ["--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const [line] = (await once(createInterface(holder.stdout), "line")) as [string];
    const { dir, pid } = JSON.parse(line) as { dir: string; pid: number };
    await eventually("all of the pod runs", async () => (await processesNaming(`${dir}/pods`)).length >= 7);
    return { holder, dir, supervisor: pid };
  }

  test("of the process that started the cluster", async () => {
    const { holder, dir } = await aHolder();
    holder.kill("SIGKILL");
    await eventually("nothing of it runs", async () => (await processesNaming(dir)).length === 0);
  });

  test("of the supervisor", async () => {
    const { holder, dir, supervisor } = await aHolder();
    process.kill(supervisor, "SIGKILL");
    await eventually("nothing of it runs", async () => (await processesNaming(dir)).length === 0);
    holder.kill("SIGKILL");
  });
});

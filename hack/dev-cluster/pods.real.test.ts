/** What a pod may rely on: its containers run as processes, with all that a kubelet would give them. */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KubeConfig, Watch, type V1Pod, type V1Volume } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  aPod,
  apiOf,
  create,
  endOf,
  eventually,
  finished,
  podOf,
  podThat,
  running,
  runPod,
  startTestCluster,
  type Api,
  type Cluster,
} from "./testing.ts";
import { processesNaming } from "../processes/processes-naming.ts";

let cluster: Cluster;
let api: Api;
let folder: string;

beforeAll(async () => {
  process.env["DEV_CLUSTER_TEST_LEAK"] = "must not reach a pod";
  process.env["DEV_CLUSTER_TEST_PASSED"] = "passed on";
  folder = await mkdtemp(join(tmpdir(), "opal-pods-"));
  cluster = await startTestCluster({
    nodes: [
      { name: "gpu-0", gpus: 12, gpuClass: "simulated" },
      { name: "gpu-1", gpus: 12, gpuClass: "simulated" },
    ],
    images: { "opal/hello": [process.execPath, "-e", "console.log('hello', process.argv[1])"] },
    passEnv: ["DEV_CLUSTER_TEST_PASSED"],
  });
  api = apiOf(cluster);
});
afterAll(async () => {
  await cluster.stop();
  await rm(folder, { recursive: true, force: true });
});

async function logs(...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.kubectl(["logs", ...args]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  return stdout;
}

const configMap = (name: string, data: Record<string, string>) =>
  api.core.createNamespacedConfigMap({ namespace: "default", body: { metadata: { name }, data } });
const secret = (name: string, stringData: Record<string, string>) =>
  api.core.createNamespacedSecret({ namespace: "default", body: { metadata: { name }, stringData } });
const remove = (name: string, gracePeriodSeconds?: number) =>
  api.core.deleteNamespacedPod({
    namespace: "default",
    name,
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
  });
const hostPath = (name: string): V1Volume => ({ name, hostPath: { path: folder } });

// In commands of pods Kubernetes reads $$ as one dollar sign.
describe("the end of a container", () => {
  test.each([
    { name: "exits-0", script: "exit 0", phase: "Succeeded", exitCode: 0, reason: "Completed" },
    { name: "exits-3", script: "exit 3", phase: "Failed", exitCode: 3, reason: "Error" },
    { name: "killed", script: "kill -9 $$$$", phase: "Failed", exitCode: 137, reason: "Error" },
    { name: "terminated", script: "kill -15 $$$$", phase: "Failed", exitCode: 143, reason: "Error" },
  ])("$name", async ({ name, script, phase, exitCode, reason }) => {
    const pod = await runPod(api, aPod(name, script));
    expect(pod.status?.phase).toBe(phase);
    expect(endOf(pod)).toMatchObject({ exitCode, reason });
    expect(pod.status).toMatchObject({ podIP: "127.0.0.1", startTime: expect.any(Date) });
  });

  test("a program that does not exist", async () => {
    const pod = await runPod(api, aPod("no-program", "", { container: { command: ["no-such-program"] } }));
    expect(endOf(pod)).toMatchObject({ exitCode: 128, reason: "StartError" });
    expect(endOf(pod).message).toContain("no-such-program");
  });

  test("its message", async () => {
    const script = 'echo "four photos done" > "$MESSAGE"; exit 1';
    const env = [{ name: "MESSAGE", value: "/dev/termination-log" }];
    expect(endOf(await runPod(api, aPod("message", script, { container: { env } }))).message).toBe(
      "four photos done\n",
    );
  });

  test("the end of its log as message, where it asked for that", async () => {
    const container = { terminationMessagePolicy: "FallbackToLogsOnError" };
    const pod = await runPod(api, aPod("message-of-log", "echo it broke >&2; exit 1", { container }));
    expect(endOf(pod).message).toBe("it broke\n");
  });

  test("what it left running is ended too, even in a session of its own", async () => {
    const left = "MARK=left-behind-by-a-pod setsid sleep 300 & echo started";
    await runPod(api, aPod("leaves-a-child", left));
    expect(await processesNaming("left-behind-by-a-pod")).toEqual([]);
  });

  test("its time is up", async () => {
    const pod = await runPod(api, aPod("deadline", "sleep 300", { spec: { activeDeadlineSeconds: 1 } }));
    expect(pod.status).toMatchObject({ phase: "Failed", reason: "DeadlineExceeded" });
    expect(endOf(pod).exitCode).toBe(143);
  });
});

describe("images", () => {
  test("stand for a program, whatever their tag", async () => {
    const pod = aPod("image", "");
    pod.spec!.containers = [{ name: "c", image: "opal/hello:1.2.3", args: ["there"] }];
    await runPod(api, pod);
    expect(await logs("image")).toBe("hello there\n");
  });

  test("that are unknown are told, and the pod can go", async () => {
    const pod = aPod("unknown-image", "");
    pod.spec!.containers = [{ name: "c", image: "busybox" }];
    await create(api, pod);
    const waits = (seen: V1Pod) =>
      seen.status?.containerStatuses?.[0]?.state?.waiting?.reason === "ErrImagePull";
    const seen = await podThat(api, "unknown-image", "waits for its image", waits);
    expect(seen.status?.containerStatuses?.[0]?.state?.waiting?.message).toContain("opal/hello");
    await remove("unknown-image");
    await eventually("it is gone", async () => (await podOf(api, "unknown-image")) === undefined);
  });
});

describe("environment", () => {
  test("is what the pod asks for, and nothing else of this machine", async () => {
    await Promise.all([configMap("for-env", { size: "4" }), secret("for-env", { key: "s3cret" })]);
    const field = (fieldPath: string) => ({ fieldRef: { fieldPath } });
    const pod = aPod("environment", "env | sort", {
      container: {
        env: [
          { name: "NAME", valueFrom: field("metadata.name") },
          { name: "UID_OF_POD", valueFrom: field("metadata.uid") },
          { name: "INDEX", valueFrom: field("metadata.annotations['shop/index']") },
          { name: "NODE", valueFrom: field("spec.nodeName") },
          { name: "MEMORY", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Mi" } } },
          { name: "KEY", valueFrom: { secretKeyRef: { name: "for-env", key: "key" } } },
          { name: "BUILT", value: "$(NAME)/$(KEY)" },
        ],
        envFrom: [{ prefix: "SHARD_", configMapRef: { name: "for-env" } }],
        resources: { limits: { memory: "64Mi", "nvidia.com/gpu": "2" } },
      },
    });
    pod.metadata!.annotations = { "shop/index": "7" };
    const seen = await runPod(api, pod);
    const env = Object.fromEntries(
      (await logs("environment"))
        .trim()
        .split("\n")
        .map((line) => line.split(/=(.*)/s) as [string, string]),
    );
    expect(env).toMatchObject({
      NAME: "environment",
      UID_OF_POD: seen.metadata?.uid,
      INDEX: "7",
      NODE: seen.spec?.nodeName,
      MEMORY: "64",
      KEY: "s3cret",
      BUILT: "environment/s3cret",
      SHARD_size: "4",
      NVIDIA_VISIBLE_DEVICES: expect.stringMatching(/^\d+,\d+$/),
      KUBERNETES_SERVICE_HOST: "127.0.0.1",
      KUBERNETES_SERVICE_PORT: new URL(cluster.server).port,
      DEV_CLUSTER_TEST_PASSED: "passed on",
    });
    expect(env).not.toHaveProperty("DEV_CLUSTER_TEST_LEAK");
  });
});

describe("volumes", () => {
  test("of every kind are there, at the paths that the pod names", async () => {
    await Promise.all([configMap("for-volume", { "shard.json": "[1]" }), secret("for-volume", { key: "k" })]);
    const script = [
      "cat /etc/map/shard.json /etc/secret/key /etc/pod/name /etc/all/shard.json /etc/all/labels",
      "echo kept > /work/file; cat /work/file; cat $FILE; echo from a pod > /host/volumes",
    ].join("; ");
    const mount = (name: string, mountPath: string) => ({ name, mountPath });
    const pod = aPod("volumes", script, {
      container: {
        env: [{ name: "FILE", value: "/etc/map/shard.json" }],
        volumeMounts: [
          mount("map", "/etc/map"),
          mount("secret", "/etc/secret"),
          mount("pod", "/etc/pod"),
          mount("all", "/etc/all"),
          mount("work", "/work"),
          mount("host", "/host"),
        ],
      },
      spec: {
        volumes: [
          { name: "map", configMap: { name: "for-volume" } },
          { name: "secret", secret: { secretName: "for-volume" } },
          {
            name: "pod",
            downwardAPI: { items: [{ path: "name", fieldRef: { fieldPath: "metadata.name" } }] },
          },
          {
            name: "all",
            projected: {
              sources: [
                { configMap: { name: "for-volume" } },
                { downwardAPI: { items: [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }] } },
              ],
            },
          },
          { name: "work", emptyDir: {} },
          hostPath("host"),
        ],
      },
    });
    pod.metadata!.labels = { a: "b" };
    expect(endOf(await runPod(api, pod)).exitCode).toBe(0);
    expect(await logs("volumes")).toBe('[1]kvolumes[1]a="b"kept\n[1]\n');
    expect(await readFile(join(folder, "volumes"), "utf8")).toBe("from a pod\n");
  });

  test("of a kind that a local process cannot have are refused with a word", async () => {
    const nfs = { name: "share", nfs: { server: "s", path: "/" } };
    const pod = await runPod(api, aPod("nfs", "exit 0", { spec: { volumes: [nfs] } }));
    expect(pod.status).toMatchObject({ phase: "Failed", reason: "Unsupported" });
    expect(pod.status?.message).toContain("the kind of volume share");
  });

  test("tell an annotation to the letter, and its changes", async () => {
    const work = '{"items":[{"id":"é","n":"$(NAME)"}]}';
    const file = (path: string, name: string) => ({
      path,
      fieldRef: { fieldPath: `metadata.annotations['${name}']` },
    });
    const script =
      'cat /etc/pod/0.json; until [ "$(cat /etc/pod/go)" = now ]; do sleep 0.05; done; echo $(cat /etc/pod/go)';
    const pod = aPod("annotated", script, {
      container: { volumeMounts: [{ name: "pod", mountPath: "/etc/pod" }] },
      spec: {
        volumes: [
          {
            name: "pod",
            downwardAPI: { items: [file("0.json", "opal.dev/manifest"), file("go", "opal.dev/go")] },
          },
        ],
      },
    });
    pod.metadata!.annotations = { "opal.dev/manifest": work, "opal.dev/go": "wait" };
    await create(api, pod);
    await running(api, "annotated");
    const { code } = await cluster.kubectl([
      "annotate",
      "pod",
      "annotated",
      "opal.dev/go=now",
      "--overwrite",
    ]);
    expect(code).toBe(0);
    await finished(api, "annotated");
    expect(await logs("annotated")).toBe(`${work}now\n`);
  });

  test("wait for a ConfigMap that comes late", async () => {
    const pod = aPod("late", "cat /etc/map/a", {
      container: { volumeMounts: [{ name: "map", mountPath: "/etc/map" }] },
      spec: { volumes: [{ name: "map", configMap: { name: "comes-late" } }] },
    });
    await create(api, pod);
    const seen = await podThat(api, "late", "says why it waits", (pod) =>
      /comes-late/.test(pod.status?.containerStatuses?.[0]?.state?.waiting?.message ?? ""),
    );
    expect(seen.status).toMatchObject({ phase: "Pending" });
    expect(seen.status?.containerStatuses?.[0]?.state?.waiting?.reason).toBe("ContainerCreating");
    await configMap("comes-late", { a: "here" });
    await finished(api, "late");
    expect(await logs("late")).toBe("here\n");
  });
});

describe("logs", () => {
  test("both streams, the last lines, and followed to the end", async () => {
    await create(
      api,
      aPod("talks", `echo out; echo err >&2; until [ -e ${folder}/go ]; do sleep 0.05; done; echo end`),
    );
    await running(api, "talks");
    const followed = logs("-f", "talks");
    await eventually("its lines are there", async () => (await logs("talks")).includes("err"));
    await runPod(api, aPod("lets-it-go", `touch ${folder}/go`));
    expect((await followed).split("\n").sort()).toEqual(["", "end", "err", "out"]);
    expect(await logs("talks", "--tail=1")).toBe("end\n");
  });

  test("of the run before a restart", async () => {
    const script = "if [ -e /work/again ]; then echo second; else touch /work/again; echo first; exit 1; fi";
    const pod = aPod("restarts", script, {
      container: { volumeMounts: [{ name: "work", mountPath: "/work" }] },
      spec: { restartPolicy: "OnFailure", volumes: [{ name: "work", emptyDir: {} }] },
    });
    const seen = await runPod(api, pod);
    expect(seen.status?.phase).toBe("Succeeded");
    expect(seen.status?.containerStatuses?.[0]?.restartCount).toBe(1);
    expect(await logs("restarts")).toBe("second\n");
    expect(await logs("restarts", "--previous")).toBe("first\n");
  });

  test("init containers come first, one after the other", async () => {
    const step = (name: string) => ({
      name,
      image: "any",
      command: ["sh", "-c", `echo ${name} >> ${folder}/order`],
    });
    await runPod(
      api,
      aPod("init", `echo main >> ${folder}/order`, { spec: { initContainers: [step("a"), step("b")] } }),
    );
    expect(await readFile(join(folder, "order"), "utf8")).toBe("a\nb\nmain\n");
  });
});

describe("deletion", () => {
  /** The last state that the API server had of each pod before its object went. */
  async function watchLast(name: string): Promise<{ last: Promise<V1Pod> }> {
    const config = new KubeConfig();
    config.loadFromFile(cluster.kubeconfig());
    const stop = new AbortController();
    const last = new Promise<V1Pod>((resolve, reject) => {
      const seen = (type: string, pod: V1Pod) => type === "DELETED" && resolve(pod);
      new Watch(config)
        .watch("/api/v1/namespaces/default/pods", { fieldSelector: `metadata.name=${name}` }, seen, reject)
        .then((controller) => stop.signal.addEventListener("abort", () => controller.abort()), reject);
    });
    return { last: last.finally(() => stop.abort()) };
  }

  test("SIGTERM lets a pod finish; its object goes after its process, with its end told", async () => {
    const script = `trap 'sleep 0.3; echo saved > ${folder}/saved; exit 7' TERM; echo ready; while :; do sleep 0.05; done`;
    await create(api, aPod("polite", script, { spec: { terminationGracePeriodSeconds: 20 } }));
    await eventually(
      "it listens",
      async () => (await running(api, "polite")) && (await logs("polite")) === "ready\n",
    );
    const { last } = await watchLast("polite");
    await remove("polite");
    expect(endOf(await last)).toMatchObject({ exitCode: 7 });
    expect(await readFile(join(folder, "saved"), "utf8")).toBe("saved\n");
  });

  test("SIGKILL ends a pod that will not listen, when its grace is over", async () => {
    const script = "trap '' TERM; echo ready; while :; do sleep 0.05; done";
    await create(api, aPod("stubborn", script));
    await eventually(
      "it listens",
      async () => (await running(api, "stubborn")) && (await logs("stubborn")) === "ready\n",
    );
    const { last } = await watchLast("stubborn");
    await remove("stubborn", 1);
    expect(endOf(await last)).toMatchObject({ exitCode: 137 });
  });

  test("without grace the process ends at once", async () => {
    const script = "trap '' TERM; MARK=never-asked-to-stop sleep 300";
    await create(api, aPod("forced", script, { spec: { terminationGracePeriodSeconds: 60 } }));
    await running(api, "forced");
    await eventually("its child runs", async () => (await processesNaming("never-asked-to-stop")).length > 1);
    await remove("forced", 0);
    await eventually(
      "its processes are gone",
      async () => (await processesNaming("never-asked-to-stop")).length === 0,
    );
  });
});

test("an Indexed Job of 20 pods with one GPU each runs at once, each pod on a GPU of its own", async () => {
  const meet = `touch ${folder}/here-$JOB_COMPLETION_INDEX; while [ $(ls ${folder} | grep -c here-) -lt 20 ]; do sleep 0.05; done`;
  const tell = "echo $NODE:$NVIDIA_VISIBLE_DEVICES:$JOB_COMPLETION_INDEX";
  const template = aPod("", `${meet}; ${tell}`, {
    container: {
      env: [{ name: "NODE", valueFrom: { fieldRef: { fieldPath: "spec.nodeName" } } }],
      resources: { limits: { "nvidia.com/gpu": "1" } },
    },
  });
  await api.batch.createNamespacedJob({
    namespace: "default",
    body: {
      metadata: { name: "twenty" },
      spec: {
        completionMode: "Indexed",
        completions: 20,
        parallelism: 20,
        backoffLimit: 0,
        template: { metadata: {}, spec: template.spec! },
      },
    },
  });
  await eventually("the Job is complete", async () => {
    const job = await api.batch.readNamespacedJob({ namespace: "default", name: "twenty" });
    expect(job.status?.failed ?? 0).toBe(0);
    return job.status?.succeeded === 20;
  });
  const lines = (await logs("-l", "job-name=twenty", "--max-log-requests=20")).trim().split("\n");
  const gpus = lines.map((line) => line.slice(0, line.lastIndexOf(":")));
  const indexes = lines.map((line) => Number(line.split(":")[2]));
  expect(new Set(gpus).size).toBe(20);
  expect(indexes.sort((a, b) => a - b)).toEqual(Array.from({ length: 20 }, (_, i) => i));
  expect((await readdir(folder)).filter((name) => name.startsWith("here-"))).toHaveLength(20);
});

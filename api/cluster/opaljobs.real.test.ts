import { type AddressInfo, type Server, type Socket, connect, createServer } from "node:net";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { LABELS, PROJECTION_FINALIZER } from "#crds/names.ts";
import { Brand } from "#crds/brand.ts";
import { createFeed } from "../projection/feed.ts";
import { aStatus } from "../projection/testing.ts";
import { startLoop } from "../loop.ts";
import { type TestCluster, eventually, startCluster } from "../testing.ts";
import { type TestNamespace, createNamespace } from "../testing-roles.ts";
import { type NewOpalJob, type OpalJobs, type WatchEvent, createOpalJobs } from "./opaljobs.ts";

let cluster: TestCluster;
let kubeConfig: KubeConfig;
let namespace: TestNamespace;
let opalJobs: OpalJobs;
const unreadable: string[] = [];

const connectTo = (config: KubeConfig) =>
  createOpalJobs({
    kubeConfig: config,
    namespace: namespace.name,
    onUnreadable: (name) => unreadable.push(name),
  });

beforeAll(async () => {
  cluster = await startCluster();
  kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(cluster.kubeconfig);
  namespace = await createNamespace(kubeConfig);
  opalJobs = connectTo(kubeConfig);
});
afterAll(async () => {
  await namespace?.remove();
  await cluster?.stop();
});

const aJob = (name: string, spec: Partial<NewOpalJob["spec"]> = {}): NewOpalJob => ({
  name,
  labels: { [LABELS.tenant]: "acme" },
  annotations: {},
  spec: {
    tenant: "acme",
    items: [{ id: "cup", source: "raw/acme/cup.jpg" }],
    brand: Brand.parse({}),
    ...spec,
  },
});
const never = new AbortController().signal;

describe("creating", () => {
  test("makes an OpalJob once", async () => {
    expect(await opalJobs.create(aJob("once"))).toEqual({ outcome: "created" });
    expect(await opalJobs.create(aJob("once"))).toEqual({ outcome: "exists" });
    expect((await namespace.find("once"))?.metadata.finalizers).toEqual([PROJECTION_FINALIZER]);
    expect(await opalJobs.has("once")).toBe(true);
    expect(await opalJobs.has("never")).toBe(false);
  });

  test("takes a thousand items", async () => {
    const items = Array.from({ length: 1000 }, (_, index) => ({
      id: `item-${index}`,
      source: `raw/acme/job/item-${index}/${"x".repeat(120)}.jpg`,
    }));
    expect(await opalJobs.create(aJob("large", { items }))).toEqual({ outcome: "created" });
  });

  test("says why the API server refuses one", async () => {
    const brand = Brand.parse({ placement: "generated" });
    expect(await opalJobs.create(aJob("refused", { brand }))).toEqual({
      outcome: "invalid",
      message: expect.stringContaining("placement generated needs a prompt"),
    });
    expect(await opalJobs.create(aJob("Not A Name"))).toMatchObject({ outcome: "invalid" });
  });

  test("throws what may pass", async () => {
    const elsewhere = createOpalJobs({
      kubeConfig,
      namespace: "no-such-namespace",
      onUnreadable: () => undefined,
    });
    await expect(elsewhere.create(aJob("x"))).rejects.toThrow();
  });
});

describe("following", () => {
  test("lists, then tells what changes and what goes", async () => {
    await opalJobs.create(aJob("followed"));
    const { jobs, resourceVersion } = await opalJobs.list();
    expect(jobs.map(({ metadata }) => metadata.name)).toContain("followed");
    const events: WatchEvent[] = [];
    const closing = new AbortController();
    const watching = opalJobs.watch({
      resourceVersion,
      timeoutSeconds: 60,
      signal: closing.signal,
      onEvent: (event) => events.push(event),
    });
    await namespace.setStatus("followed", aStatus({ total: 1, done: 1 }));
    const changed = await eventually("the change", () =>
      events.find((event) => event.type === "changed" && event.job.status.items?.done === 1),
    );
    if (changed.type !== "changed") throw new Error("not a change");
    await opalJobs.removeFinalizer(changed.job);
    await opalJobs.removeFinalizer(changed.job).then(
      () => expect.unreachable("the object has changed since"),
      () => undefined,
    );
    await namespace.delete("followed");
    await eventually("the end", () =>
      events.some((event) => event.type === "gone" && event.name === "followed"),
    );
    await opalJobs.removeFinalizer(changed.job);
    closing.abort();
    await watching;
  });

  test("a watch ends by itself after its time", async () => {
    const { resourceVersion } = await opalJobs.list();
    await opalJobs.watch({ resourceVersion, timeoutSeconds: 1, signal: never, onEvent: () => undefined });
  });

  test("a watch that is closed while it opens ends at once", async () => {
    const { resourceVersion } = await opalJobs.list();
    const closing = new AbortController();
    const start = performance.now();
    const watching = opalJobs.watch({
      resourceVersion,
      timeoutSeconds: 60,
      signal: closing.signal,
      onEvent: () => undefined,
    });
    closing.abort();
    await watching;
    expect(performance.now() - start).toBeLessThan(5000);
  });

  test("a watch from a version that is gone throws", async () => {
    const watching = opalJobs.watch({
      resourceVersion: "1",
      timeoutSeconds: 5,
      signal: never,
      onEvent: () => undefined,
    });
    // A server that still has that version is right to go on.
    await watching.catch((error: unknown) => expect(error).toBeInstanceOf(Error));
  });
});

/** Stands between client and API server, and can cut every connection. */
async function startProxy(target: URL): Promise<{ server: Server; port: number; cut(): void }> {
  const sockets = new Set<Socket>();
  const server = createServer((inbound) => {
    const outbound = connect(Number(target.port), target.hostname);
    for (const socket of [inbound, outbound]) {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    }
    inbound.pipe(outbound).pipe(inbound);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    server,
    port: (server.address() as AddressInfo).port,
    cut: () => sockets.forEach((socket) => socket.resetAndDestroy()),
  };
}

test("what happens while the connection is cut is seen afterwards", async () => {
  const target = new URL(kubeConfig.getCurrentCluster()?.server ?? "");
  const proxy = await startProxy(target);
  const through = new KubeConfig();
  through.loadFromString(kubeConfig.exportConfig().replaceAll(target.host, `127.0.0.1:${proxy.port}`));
  const changes: string[] = [];
  const errors: unknown[] = [];
  const feed = createFeed({
    opalJobs: connectTo(through),
    store: { findAwaitingVerdicts: async () => [] },
    resyncSeconds: 600,
    onChange: (name) => changes.push(name),
    onMissing: () => undefined,
  });
  const loop = startLoop({
    run: (signal) => feed.run(signal),
    everySeconds: 0,
    random: () => 0,
    onError: (error) => errors.push(error),
  });
  try {
    for (const round of [1, 2, 3]) {
      await eventually("synced", () => feed.hasSynced());
      proxy.cut();
      await opalJobs.create(aJob(`cut-${round}`));
      await eventually("the job is seen", () => changes.includes(`cut-${round}`));
      proxy.cut();
      await namespace.setStatus(`cut-${round}`, aStatus({ total: 1, done: 1 }));
      await eventually("its status is seen", () => feed.get(`cut-${round}`)?.status.items?.done === 1);
    }
    expect(errors.length).toBeGreaterThan(0);
  } finally {
    await loop.close();
    proxy.cut();
    proxy.server.close();
  }
});

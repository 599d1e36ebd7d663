import { ServiceBusClient } from "@azure/service-bus";
import { KubeConfig } from "@kubernetes/client-node";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ExportMessage } from "#crds/messages.ts";
import { ANNOTATIONS, LABELS, PROJECTION_FINALIZER } from "#crds/names.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import { aDoneReport, aFailedReport, aStatus, reportBlob } from "./projection/testing.ts";
import type { Sql } from "./store/database.ts";
import {
  type TestBlob,
  type TestBus,
  type TestCluster,
  type TestPostgres,
  eventually,
  startBlob,
  startBus,
  startCluster,
  startPostgres,
} from "./testing.ts";
import {
  type RoleProcess,
  type RoleSettings,
  type Roles,
  type TestNamespace,
  createNamespace,
  createRoles,
} from "./testing-roles.ts";

/**
 * All roles as processes on a real Postgres, blob server, bus and Kubernetes API server; the test plays the
 * tenant, and the operator with its runners.
 */

const KEY = "key-of-acme";

let cluster: TestCluster;
let bus: TestBus;
let settings: RoleSettings;
let postgres: TestPostgres;
let blob: TestBlob;
let sql: Sql;
let namespace: TestNamespace;
let roles: Roles;
const running = new Map<string, RoleProcess>();

async function start(role: "serve" | "relay" | "intake" | "project"): Promise<void> {
  running.set(role, await roles.start(role));
}
const process_ = (role: string): RoleProcess => {
  const found = running.get(role);
  if (!found) throw new Error(`${role} does not run`);
  return found;
};

beforeAll(async () => {
  [cluster, bus, postgres, blob] = await Promise.all([
    startCluster(),
    startBus(),
    startPostgres(),
    startBlob(),
  ]);
  const kubeConfig = new KubeConfig();
  kubeConfig.loadFromFile(cluster.kubeconfig);
  namespace = await createNamespace(kubeConfig);
  const database = await postgres.clone();
  sql = database.sql;
  settings = {
    databaseUrl: database.url,
    blobConnectionString: blob.connectionString,
    busConnectionString: bus.connectionString,
    kubeconfig: cluster.kubeconfig,
    namespace: namespace.name,
    keys: { [KEY]: "acme" },
    env: { OPAL_RESYNC_SECONDS: "2", OPAL_SWEEP_SECONDS: "1" },
  };
  roles = await createRoles(settings);
  await start("serve");
  await Promise.all([start("relay"), start("intake"), start("project")]);
});
afterAll(async () => {
  await roles?.close();
  await namespace?.remove();
  await Promise.all([postgres?.stop(), blob?.stop(), bus?.stop(), cluster?.stop()]);
});

// eslint-disable-next-line typescript/no-explicit-any
type Json = any;

async function api(method: string, path: string, body?: object): Promise<Json> {
  const response = await fetch(`${process_("serve").url}${path}`, {
    method,
    headers: {
      authorization: `Bearer ${KEY}`,
      "content-type": "application/json",
      "x-correlation-id": "flow",
    },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect(response.ok).toBe(true);
  return response.json();
}

async function submit(count: number): Promise<Json> {
  const items = Array.from({ length: count }, (_, index) => ({ filename: `photo-${index}.jpg` }));
  const job = await api("POST", "/v1/jobs", { tenant_id: "acme", brand_profile_id: "studio", items });
  for (const { item_id, filename } of job.items) {
    const item = { tenant_id: "acme", job_id: job.job_id, item_id, filename };
    const sas = await api("POST", "/v1/uploads/sas", { ...item, content_type: "image/jpeg" });
    const put = await fetch(sas.upload_url, { method: "PUT", headers: sas.headers, body: "picture" });
    expect(put.status).toBe(201);
    await api("POST", "/v1/uploads/complete", item);
  }
  return job;
}

const jobNow = (job: Json) => api("GET", `/v1/jobs/${job.job_id}`);
const opalJobOf = (job: Json): Promise<OpalJob> =>
  eventually("the OpalJob exists", () => namespace.find(job.job_id));

async function report(job: Json, index: number, outcome: "done" | "failed"): Promise<void> {
  const { metadata } = await opalJobOf(job);
  const key = { tenant: "acme", job: job.job_id, uid: metadata.uid, item: job.items[index].item_id };
  const { ref, text } = reportBlob(outcome === "done" ? aDoneReport(key) : aFailedReport(key));
  await blob.put(ref, text, "application/json");
}

const exportJob = (job: Json, index: number) =>
  sql`select opal.item_exported('acme', ${job.job_id}, ${job.items[index].item_id},
        ${sql.json([{ name: "1:1", blob_path: "exports/square.jpg" }])})`;

const complete = { type: "Complete", reason: "AllItemsDone" } as const;

async function receiveExport(job: Json): Promise<ExportMessage> {
  const client = new ServiceBusClient(bus.connectionString);
  try {
    const receiver = client.createReceiver("exports", { receiveMode: "receiveAndDelete" });
    return await eventually("the exports message", async () => {
      const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: 1000 });
      const body = message && ExportMessage.parse(message.body);
      return body?.jobId === job.job_id && body;
    });
  } finally {
    await client.close();
  }
}

describe("one job, all the way", () => {
  let job: Json;

  test("becomes an OpalJob", async () => {
    job = await submit(3);
    const opalJob = await opalJobOf(job);
    expect(opalJob.metadata.finalizers).toEqual([PROJECTION_FINALIZER]);
    expect(opalJob.metadata.labels[LABELS.tenant]).toBe("acme");
    expect(opalJob.metadata.annotations[ANNOTATIONS.correlationId]).toBe("flow");
    expect(opalJob.spec).toMatchObject({
      tenant: "acme",
      brand: { placement: "studio" },
      gpu: { minGpus: 1, maxGpus: 3 },
      items: job.items.map(({ item_id }: Json, index: number) => ({
        id: item_id,
        source: `raw/acme/${job.job_id}/${item_id}/photo-${index}.jpg`,
        contentType: "image/jpeg",
      })),
    });
    await eventually("processing", async () => (await jobNow(job)).status === "processing");
  });

  test("shows its items in processing at the first sign of life", async () => {
    const running = { type: "Running", reason: "PodsRunning" } as const;
    await namespace.setStatus(job.job_id, aStatus({ total: 3, condition: running }));
    const now = await eventually("items in processing", async () => {
      const body = await jobNow(job);
      return body.items.every((item: Json) => item.status === "processing") && body;
    });
    expect(now.items[0].processing_started_at).toEqual(expect.any(String));
  });

  test("sends each finished item to the exports", async () => {
    await report(job, 0, "done");
    await namespace.setStatus(job.job_id, aStatus({ total: 3, done: 1 }));
    const message = await receiveExport(job);
    expect(message).toMatchObject({
      itemId: job.items[0].item_id,
      placement: "studio",
      productBox: { x: 10, y: 10, width: 20, height: 20 },
      correlationId: "flow",
    });
    const [item] = (await jobNow(job)).items;
    expect(item).toMatchObject({
      status: "processing",
      upscaled_blob_path: message.source,
      processing_started_at: "2026-05-01T12:00:00.000Z",
      ai_metadata: { fidelity: { maxAbsDifference: 0 }, seconds: { total: 10, segment: 1 } },
    });
  });

  test("fails items as reported or, without a report, as listed, and lets the OpalJob go", async () => {
    await process_("project").kill();
    await report(job, 1, "failed");
    const last = job.items[2].item_id;
    await namespace.setStatus(
      job.job_id,
      aStatus({
        total: 3,
        done: 1,
        failed: 2,
        failedItems: [{ id: last, class: "out-of-memory", message: "too large for the GPU" }],
        condition: { type: "Complete", reason: "SomeItemsFailed" },
      }),
    );
    await start("project");
    await eventually("the finalizer is off", async () => {
      const opalJob = await namespace.find(job.job_id);
      return opalJob?.metadata.finalizers.length === 0;
    });
    expect((await jobNow(job)).items.slice(1)).toMatchObject([
      { status: "failed", error: { class: "no-product" } },
      { status: "failed", error: { class: "out-of-memory", message: "too large for the GPU" } },
    ]);
    await exportJob(job, 0);
    expect(await jobNow(job)).toMatchObject({ status: "completed", items_completed: 1, items_failed: 2 });
  });
});

describe("what the cluster can do to a job", () => {
  test("it fails as a whole", async () => {
    const job = await submit(2);
    await opalJobOf(job);
    await report(job, 0, "done");
    const condition = {
      type: "Failed",
      reason: "BudgetExhausted",
      message: "budget.gpuSeconds is used up",
    } as const;
    await namespace.setStatus(job.job_id, aStatus({ total: 2, done: 1, failed: 1, condition }));
    await eventually(
      "the finalizer is off",
      async () => (await opalJobOf(job)).metadata.finalizers.length === 0,
    );
    expect((await jobNow(job)).items).toMatchObject([
      { status: "processing" },
      { status: "failed", error: { class: "budget", message: "budget.gpuSeconds is used up" } },
    ]);
  });

  test("it is deleted by hand", async () => {
    const job = await submit(2);
    await opalJobOf(job);
    await report(job, 0, "done");
    await namespace.delete(job.job_id);
    await eventually("the OpalJob is gone", async () => (await namespace.find(job.job_id)) === undefined);
    expect((await jobNow(job)).items).toMatchObject([
      { status: "processing", upscaled_blob_path: expect.any(String) },
      { status: "failed", error: { message: "The OpalJob was deleted before this item was finished." } },
    ]);
  });

  test("it is torn out without a word", async () => {
    const job = await submit(1);
    await opalJobOf(job);
    await process_("project").kill();
    await namespace.dropFinalizers(job.job_id);
    await namespace.delete(job.job_id);
    await start("project");
    const ended = await eventually("the job has failed", async () => {
      const body = await jobNow(job);
      return body.status === "failed" && body;
    });
    expect(ended.items[0].error.message).toMatch(/removed from the cluster/);
  });
});

describe("what time and mistakes do to a job", () => {
  test("pictures that never come fail, and the rest goes on", async () => {
    const items = [{ filename: "here.jpg" }, { filename: "never.jpg" }];
    const job = await api("POST", "/v1/jobs", { tenant_id: "acme", brand_profile_id: "studio", items });
    const here = {
      tenant_id: "acme",
      job_id: job.job_id,
      item_id: job.items[0].item_id,
      filename: "here.jpg",
    };
    const sas = await api("POST", "/v1/uploads/sas", { ...here, content_type: "image/jpeg" });
    await fetch(sas.upload_url, { method: "PUT", headers: sas.headers, body: "picture" });
    await api("POST", "/v1/uploads/complete", here);
    await sql`update opal.jobs set upload_deadline = now() where id = ${job.job_id}`;
    const opalJob = await opalJobOf(job);
    expect(opalJob.spec.items?.map(({ id }) => id)).toEqual([job.items[0].item_id]);
    expect((await jobNow(job)).items[1]).toMatchObject({
      status: "failed",
      error: { class: "missing-input" },
    });
  });

  test("a job that the cluster refuses has failed", async () => {
    await process_("relay").kill();
    const job = await submit(1);
    await sql`update opal.jobs set brand = '{"placement": "generated"}' where id = ${job.job_id}`;
    await start("relay");
    const ended = await eventually("the verdict", async () => {
      const body = await jobNow(job);
      return body.status === "failed" && body;
    });
    expect(ended.items[0].error).toMatchObject({
      class: "config",
      message: expect.stringContaining("placement generated needs a prompt"),
    });
  });
});

describe("roles die", () => {
  test("and lose every database connection", async () => {
    await sql`select pg_terminate_backend(pid) from pg_stat_activity
               where application_name like 'opal-%' and datname = current_database()`;
    const job = await eventually("a job is accepted again", () => submit(1).catch(() => undefined));
    await opalJobOf(job);
    await report(job, 0, "done");
    await namespace.setStatus(job.job_id, aStatus({ total: 1, done: 1, condition: complete }));
    await eventually("rendered", async () => (await jobNow(job)).items[0].upscaled_blob_path !== null);
  });

  test("started before the schema is there, they wait for it", async () => {
    const fresh = await postgres.empty();
    const own = await createRoles({ ...settings, databaseUrl: fresh.url });
    try {
      const [relay, serve] = await Promise.all([own.start("relay"), own.start("serve")]);
      expect(relay.lines.some((line) => line["msg"] === "ready")).toBe(true);
      expect(await serve.stop()).toBe(0);
    } finally {
      await own.close();
    }
  });

  test.each(["relay", "intake", "project"] as const)("%s, before its work", async (role) => {
    await process_(role).kill();
    const job = await submit(1);
    if (role === "project") {
      await opalJobOf(job);
      await report(job, 0, "done");
      await namespace.setStatus(job.job_id, aStatus({ total: 1, done: 1, condition: complete }));
    }
    await start(role);
    await opalJobOf(job);
    if (role !== "project") {
      await report(job, 0, "done");
      await namespace.setStatus(job.job_id, aStatus({ total: 1, done: 1, condition: complete }));
    }
    await eventually("rendered", async () => (await jobNow(job)).items[0].upscaled_blob_path !== null);
    await exportJob(job, 0);
    expect((await jobNow(job)).status).toBe("completed");
  });

  test("twice as many of each do no harm", async () => {
    const more = await Promise.all([roles.start("relay"), roles.start("intake"), roles.start("project")]);
    const jobs = await Promise.all(Array.from({ length: 6 }, () => submit(2)));
    for (const job of jobs) {
      await opalJobOf(job);
      await Promise.all([report(job, 0, "done"), report(job, 1, "done")]);
      await namespace.setStatus(job.job_id, aStatus({ total: 2, done: 2, condition: complete }));
    }
    for (const job of jobs) {
      await eventually(
        "the finalizer is off",
        async () => (await opalJobOf(job)).metadata.finalizers.length === 0,
      );
      const messages =
        await sql`select 1 from opal.outbox where queue = 'exports' and job_id = ${job.job_id}`;
      expect(messages).toHaveLength(2);
    }
    await Promise.all(more.map((role) => role.stop()));
  });

  test("every role tells how it fares and closes cleanly", async () => {
    for (const [name, role] of running) {
      const ready = await fetch(`${role.url}/readyz`);
      expect({ name, status: ready.status, body: await ready.json() }).toMatchObject({ name, status: 200 });
      expect((await fetch(`${role.url}/healthz`)).status).toBe(200);
      expect(await (await fetch(`${role.url}/metrics`)).text()).toContain("process_cpu_seconds_total");
      expect({ name, code: await role.stop() }).toEqual({ name, code: 0 });
      expect(role.lines.at(-1)).toMatchObject({ msg: "closed" });
    }
  });
});

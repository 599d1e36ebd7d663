import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ExportMessage } from "#crds/messages.ts";
import { type TestPostgres, startPostgres } from "../testing.ts";
import { type Sql, openDatabase } from "./database.ts";
import { isMigrated, migrate } from "./migrate.ts";
import { createOutbox } from "./outbox.ts";
import { createIntakeStore } from "./intake.ts";
import { type Verdict, createProjectionStore } from "./projection.ts";
import { pruneOldRows } from "./retention.ts";
import { type TestJob, itemsOf, queueJob, statusOf } from "./testing.ts";
import { giveUpUnanswered, resendUnanswered } from "./unanswered.ts";

let postgres: TestPostgres;
let sql: Sql;
let url: string;

beforeAll(async () => {
  postgres = await startPostgres();
  ({ sql, url } = await postgres.clone());
});
afterAll(() => postgres?.stop());

const EXPORTS = [
  { name: "4:3", blob_path: "exports/wide.jpg" },
  { name: "1:1", blob_path: "exports/square.jpg" },
];
const exported = async (job: TestJob, item: string, exports: object = EXPORTS) => {
  const [row] = await sql<{ done: boolean }[]>`
    select opal.item_exported(${job.tenantId}, ${job.jobId}, ${item}, ${sql.json(exports as never)}) as done`;
  return row?.done;
};
const exportFailed = async (job: TestJob, item: string) => {
  const [row] = await sql<{ done: boolean }[]>`
    select opal.item_export_failed(${job.tenantId}, ${job.jobId}, ${item}, 'storage', 'no room') as done`;
  return row?.done;
};

const BOX = { x: 0, y: 0, width: 8, height: 8 };
const rendered = (job: TestJob, itemId: string): Verdict => ({
  outcome: "rendered",
  itemId,
  startedAt: new Date("2026-01-01T00:00:00Z"),
  paths: { bgRemoved: "outputs/s.png", placed: "outputs/p.png", upscaled: "outputs/u.png" },
  metadata: { attempt: 1 },
  message: {
    v: 1,
    tenantId: job.tenantId,
    jobId: job.jobId,
    itemId,
    uid: "12345678-aaaa",
    source: "outputs/u.png",
    placement: "studio",
    productBox: BOX,
    contentBox: BOX,
    frames: {},
    layers: {},
    exports: ["1:1"],
    format: "auto",
    quality: 90,
    hasGeneratedPixels: false,
    correlationId: "c",
  },
});
const failedItem = (itemId: string): Verdict => ({
  outcome: "failed",
  itemId,
  startedAt: undefined,
  class: "no-product",
  message: "no product",
  metadata: {},
});

function asExportWorker(url: string): string {
  return Object.assign(new URL(url), { username: "export_worker", password: "w" }).href;
}

async function renderedJob(count = 1): Promise<TestJob> {
  const job = await queueJob(sql, { count });
  await createProjectionStore(sql).record(
    job,
    job.items.map((item) => rendered(job, item)),
  );
  return job;
}

describe("migrations", () => {
  test("are applied once by replicas that start at once", async () => {
    const { sql: fresh } = await postgres.empty();
    expect(await isMigrated(fresh)).toBe(false);
    const applied = await Promise.all([migrate(fresh), migrate(fresh), migrate(fresh)]);
    expect(applied.flat().sort()).toEqual([
      "0001-tables.sql",
      "0002-item-verdicts.sql",
      "0003-brand-look.sql",
    ]);
    expect(await isMigrated(fresh)).toBe(true);
    expect(await migrate(fresh)).toEqual([]);
    await fresh`update opal.migrations set sha256 = 'x' where name = '0001-tables.sql'`;
    await expect(migrate(fresh)).rejects.toThrow(/0001-tables.sql has changed/);
  });
});

describe("item_exported", () => {
  test("completes an item in processing, once, with the square export as its output", async () => {
    const job = await renderedJob();
    expect(await exported(job, "item-0")).toBe(true);
    expect(await exported(job, "item-0")).toBe(false);
    expect(await exportFailed(job, "item-0")).toBe(false);
    expect(await itemsOf(sql, job)).toMatchObject([
      {
        status: "completed",
        outputBlobPath: "exports/square.jpg",
        metadata: { attempt: 1, exports: EXPORTS },
      },
    ]);
    expect(await statusOf(sql, job)).toBe("completed");
  });

  test("does nothing before the item is in processing, nor for another tenant", async () => {
    const job = await queueJob(sql);
    expect(await exported(job, "item-0")).toBe(false);
    const running = await renderedJob();
    expect(await exported({ ...running, tenantId: "bolt" }, "item-0")).toBe(false);
    expect(await exported(running, "item-9")).toBe(false);
    expect(await statusOf(sql, running)).toBe("processing");
  });

  test("refuses a list without exports", async () => {
    const job = await renderedJob();
    await expect(exported(job, "item-0", [])).rejects.toThrow(/at least one export/);
    await expect(exported(job, "item-0", [{ name: "1:1" }])).rejects.toThrow(/blob_path/);
    await expect(exported(job, "item-0", {})).rejects.toThrow(/at least one export/);
  });

  test("lists the exports that this picture cannot give beside those that were made", async () => {
    const job = await renderedJob();
    const refused = { name: "1:1", failure: { class: "quality", message: "too few pixels" } };
    expect(await exported(job, "item-0", [refused, EXPORTS[0]])).toBe(true);
    expect(await itemsOf(sql, job)).toMatchObject([
      {
        status: "completed",
        outputBlobPath: "exports/wide.jpg",
        metadata: { exports: [EXPORTS[0]], failed_exports: [refused] },
      },
    ]);
    const another = await renderedJob();
    await expect(exported(another, "item-0", [refused])).rejects.toThrow(/at least one its blob_path/);
  });

  test("ends the job with its last item, also when several end at once", async () => {
    for (let round = 0; round < 10; round++) {
      const job = await renderedJob(4);
      const done = await Promise.all([
        ...job.items.slice(0, 3).map((item) => exported(job, item)),
        exportFailed(job, "item-3"),
      ]);
      expect(done).toEqual([true, true, true, true]);
      expect(await statusOf(sql, job)).toBe("completed");
    }
  });

  test("a job of failed items only has failed", async () => {
    const job = await renderedJob(2);
    await exportFailed(job, "item-0");
    expect(await statusOf(sql, job)).toBe("processing");
    await exportFailed(job, "item-1");
    expect(await statusOf(sql, job)).toBe("failed");
    expect(await itemsOf(sql, job)).toMatchObject([
      { status: "failed", failureClass: "storage", failureMessage: "no room" },
      { status: "failed" },
    ]);
  });

  test("is all that the export worker's role may do", async () => {
    const job = await renderedJob();
    await sql`drop role if exists export_worker`;
    await sql`create role export_worker login password 'w' in role opal_export`;
    const worker = openDatabase({
      url: asExportWorker(url),
      maxConnections: 1,
      applicationName: "t",
    });
    try {
      await expect(worker`select * from opal.job_items`).rejects.toThrow(/permission denied/);
      await expect(worker`select opal.settle_job('a', 'b')`).rejects.toThrow(/permission denied/);
      const [row] = await worker<{ done: boolean }[]>`
        select opal.item_exported(${job.tenantId}, ${job.jobId}, 'item-0', ${worker.json(EXPORTS)}) as done`;
      expect(row?.done).toBe(true);
    } finally {
      await worker.end();
    }
  });
});

describe("verdicts", () => {
  test("count once, with one message for the exports, whoever repeats them", async () => {
    const store = createProjectionStore(sql);
    const job = await queueJob(sql, { count: 2 });
    const verdicts = [rendered(job, "item-0"), failedItem("item-1")];
    await Promise.all(Array.from({ length: 5 }, () => store.record(job, verdicts)));
    expect(await itemsOf(sql, job)).toMatchObject([
      { status: "processing", isRendered: true },
      { status: "failed", failureClass: "no-product" },
    ]);
    const messages = await sql<{ body: unknown }[]>`
      select body from opal.outbox where queue = 'exports' and job_id = ${job.jobId}`;
    expect(messages.map(({ body }) => ExportMessage.parse(body).itemId)).toEqual(["item-0"]);

    await store.record(job, [failedItem("item-0")]);
    expect(await itemsOf(sql, job)).toMatchObject([{ status: "processing" }, {}]);
    await exported(job, "item-0");
    await store.record(job, [rendered(job, "item-0")]);
    expect(await itemsOf(sql, job)).toMatchObject([{ status: "completed" }, {}]);
  });

  test("are awaited by jobs in processing only", async () => {
    const store = createProjectionStore(sql);
    const intake = createIntakeStore(sql);
    const job = await queueJob(sql);
    const isAwaited = async () =>
      (await store.findAwaitingVerdicts()).some(({ jobId }) => jobId === job.jobId);
    expect(await isAwaited()).toBe(false);
    await intake.markProcessing(job.tenantId, job.jobId);
    expect(await isAwaited()).toBe(true);
    expect(await store.find(job)).toMatchObject({ status: "processing", open: ["item-0"], hasQueued: true });
    await store.markRunning(job);
    expect(await store.find(job)).toMatchObject({ hasQueued: false, open: ["item-0"], submitted: 1 });
    await store.record(job, [rendered(job, "item-0")]);
    expect(await isAwaited()).toBe(false);
    await intake.markProcessing(job.tenantId, job.jobId);
    expect(await store.find(job)).toMatchObject({ open: [] });
  });
});

describe("the outbox", () => {
  const age = (seconds: number, job: TestJob) =>
    sql`update opal.outbox set sent_at = now() - make_interval(secs => ${seconds}) where job_id = ${job.jobId}`;
  const drain = async (queue: string) => {
    const sent: string[] = [];
    const outbox = createOutbox(sql);
    const send = async (rows: readonly { id: string }[]) => void sent.push(...rows.map(({ id }) => id));
    while ((await outbox.sendBatch({ queue, limit: 10, send })) > 0);
    return sent;
  };

  test("gives each message to one of several relays", async () => {
    await drain("jobs");
    await queueJob(sql);
    for (let index = 0; index < 30; index++) await queueJob(sql);
    const all = (await Promise.all([drain("jobs"), drain("jobs"), drain("jobs")])).flat();
    expect(all).toHaveLength(31);
    expect(new Set(all).size).toBe(31);
  });

  test("keeps what could not be sent", async () => {
    const outbox = createOutbox(sql);
    await drain("jobs");
    await queueJob(sql);
    const send = () => Promise.reject(new Error("the bus is away"));
    await expect(outbox.sendBatch({ queue: "jobs", limit: 10, send })).rejects.toThrow("the bus is away");
    expect(await outbox.countUnsent()).toBeGreaterThan(0);
    expect(await drain("jobs")).toHaveLength(1);
  });

  test("wakes its listeners", async () => {
    const woken = Promise.withResolvers<void>();
    let calls = 0;
    const subscription = await createOutbox(sql).onNew(() => {
      // The first call is the subscription's own.
      if (++calls === 2) woken.resolve();
    });
    await queueJob(sql);
    await woken.promise;
    await subscription.close();
  });

  test("sends a job again that nobody took, and exports a few times before it gives up", async () => {
    const settings = { jobSeconds: 60, exportSeconds: 60, maxExportSends: 2 };
    const queued = await queueJob(sql);
    const job = await renderedJob();
    await drain("jobs");
    await drain("exports");
    await resendUnanswered(sql, settings);
    expect(await drain("jobs")).toHaveLength(0);

    await age(61, queued);
    expect(await resendUnanswered(sql, settings)).toBe(1);
    // Under another id: the queue would take the first one for a duplicate.
    expect(await drain("jobs")).toEqual([expect.stringMatching(/^[0-9a-f-]{36}\.1$/)]);

    await age(61, job);
    await resendUnanswered(sql, settings);
    expect(await drain("exports")).toHaveLength(1);
    expect(await giveUpUnanswered(sql, settings)).toBe(0);
    await age(61, job);
    await resendUnanswered(sql, settings);
    expect(await drain("exports")).toHaveLength(0);
    expect(await giveUpUnanswered(sql, settings)).toBe(1);
    expect(await itemsOf(sql, job)).toMatchObject([{ status: "failed", failureClass: "unknown" }]);
    expect(await statusOf(sql, job)).toBe("failed");
  });

  test("forgets what was sent long ago, of finished jobs only", async () => {
    const [open, done] = [await queueJob(sql), await renderedJob()];
    await drain("jobs");
    await drain("exports");
    await exported(done, "item-0");
    await Promise.all([age(100, open), age(100, done)]);
    await pruneOldRows(sql, { outboxSeconds: 60, idempotencyKeySeconds: 60 });
    const rows = await sql<{ id: string }[]>`
      select job_id as id from opal.outbox where job_id in (${open.jobId}, ${done.jobId})`;
    expect(rows.map(({ id }) => id)).toEqual([open.jobId]);
  });
});

test("no credit is written twice for one cause", async () => {
  const add = () =>
    sql`insert into opal.credit_ledger (tenant_id, delta, reason, ref) values ('acme', -5, 'r', 'x')`;
  await add();
  await expect(add()).rejects.toThrow(/duplicate key/);
});

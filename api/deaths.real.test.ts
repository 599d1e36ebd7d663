import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { PROJECTION_FINALIZER } from "#crds/names.ts";
import { OpalJob } from "#crds/opaljob.ts";
import type { NewOpalJob } from "./cluster/opaljobs.ts";
import { takeIn } from "./intake/intake.ts";
import { project } from "./projection/projector.ts";
import { aDoneReport, aFailedReport, aStatus, reportBlob } from "./projection/testing.ts";
import { drainOutbox } from "./relay/relay.ts";
import type { Sql } from "./store/database.ts";
import { createIntakeStore } from "./store/intake.ts";
import { createOutbox } from "./store/outbox.ts";
import { createProjectionStore } from "./store/projection.ts";
import { itemsOf, queueJob, statusOf } from "./store/testing.ts";
import { type TestPostgres, startPostgres } from "./testing.ts";

/**
 * Every role's work is cut off before and after each call that it makes, and done again by a fresh one: the
 * end must be the same as without a death.
 */

let postgres: TestPostgres;
let sql: Sql;
beforeAll(async () => {
  postgres = await startPostgres();
  ({ sql } = await postgres.clone());
});
afterAll(() => postgres?.stop());

interface Death {
  readonly call: string;
  readonly when: "before" | "after";
}

class Died extends Error {}

/** Dies at the first call of that name; the call itself has happened or not. */
function mortal<T extends object>(port: T, { call, when }: Death): T {
  return new Proxy(port, {
    get(target, name, receiver) {
      const method: unknown = Reflect.get(target, name, receiver);
      if (name !== call || typeof method !== "function") return method;
      return async (...given: unknown[]) => {
        if (when === "after") await Reflect.apply(method, target, given);
        throw new Died(`${when} ${call}`);
      };
    },
  });
}

const around = (...calls: string[]): Death[] =>
  calls.flatMap((call) => [
    { call, when: "before" as const },
    { call, when: "after" as const },
  ]);

async function dies(work: Promise<unknown>): Promise<void> {
  await expect(work).rejects.toThrow(Died);
}

const aliveSignal = new AbortController().signal;

/** As an API server does it: a name exists once. */
function createCluster() {
  const jobs = new Map<string, NewOpalJob>();
  return {
    jobs,
    create: async (job: NewOpalJob) => {
      if (jobs.has(job.name)) return { outcome: "exists" as const };
      jobs.set(job.name, job);
      return { outcome: "created" as const };
    },
  };
}

describe("the intake dies", () => {
  const settings = { maxGpusPerJob: 4, ttlSecondsAfterFinished: 60 };
  const messageOf = (job: { tenantId: string; jobId: string }) => ({
    id: "m",
    delivery: 1,
    signal: aliveSignal,
    body: { v: 1, ...job, correlationId: "c" },
  });

  test.each(around("find", "create", "markProcessing"))("$when $call", async (death) => {
    const job = await queueJob(sql, { count: 2 });
    const cluster = createCluster();
    const store = createIntakeStore(sql);
    const message = messageOf({ tenantId: job.tenantId, jobId: job.jobId });
    await dies(takeIn(message, { store: mortal(store, death), opalJobs: mortal(cluster, death), settings }));
    const { settlement } = await takeIn(message, { store, opalJobs: cluster, settings });
    expect(settlement).toEqual({ do: "complete" });
    expect([...cluster.jobs.keys()]).toEqual([job.jobId]);
    expect(await statusOf(sql, job)).toBe("processing");
  });

  test.each(around("fail"))("$when $call, of a job that the cluster refuses", async (death) => {
    const job = await queueJob(sql);
    const store = createIntakeStore(sql);
    const message = messageOf({ tenantId: job.tenantId, jobId: job.jobId });
    const opalJobs = {
      create: async () => ({ outcome: "invalid" as const, message: "spec.items: too many" }),
    };
    await dies(takeIn(message, { store: mortal(store, death), opalJobs, settings }));
    await takeIn(message, { store, opalJobs, settings });
    expect(await statusOf(sql, job)).toBe("failed");
    expect(await itemsOf(sql, job)).toMatchObject([
      { failureClass: "config", failureMessage: "The cluster refused the job: spec.items: too many" },
    ]);
  });

  test("what is not a message, or of no job, or of a job further on, is settled at once", async () => {
    const deps = { store: createIntakeStore(sql), opalJobs: createCluster(), settings };
    const gone = await takeIn(messageOf({ tenantId: "acme", jobId: "nope" }), deps);
    expect(gone).toMatchObject({ outcome: "job-gone", settlement: { do: "complete" } });
    const job = await queueJob(sql);
    const foreign = await takeIn(messageOf({ tenantId: "bolt", jobId: job.jobId }), deps);
    expect(foreign).toMatchObject({ outcome: "job-gone" });
    const malformed = await takeIn({ ...messageOf(job), body: { v: 2 } }, deps);
    expect(malformed.settlement).toMatchObject({ do: "dead-letter", reason: "malformed" });
    await sql`update opal.jobs set status = 'processing' where id = ${job.jobId}`;
    expect(await takeIn(messageOf(job), deps)).toMatchObject({ outcome: "job-further-on" });
    expect(deps.opalJobs.jobs.size).toBe(0);
  });
});

describe("the projector dies", () => {
  const UID = "12345678-0000-4000-8000-000000000000";

  async function finishedJob() {
    const job = await queueJob(sql, { count: 3 });
    const key = (item: string) => ({ tenant: job.tenantId, job: job.jobId, uid: UID, item });
    const reports = new Map(
      [aDoneReport(key("item-0")), aFailedReport(key("item-1"))].map((report) => {
        const { ref, text } = reportBlob(report);
        return [ref, text];
      }),
    );
    const opalJob = OpalJob.parse({
      metadata: {
        name: job.jobId,
        uid: UID,
        resourceVersion: "1",
        creationTimestamp: "2026-05-01T12:00:00Z",
        finalizers: [PROJECTION_FINALIZER],
      },
      spec: { tenant: job.tenantId, items: [{ id: "item-0", source: "raw/x" }], brand: {} },
      status: aStatus({
        total: 3,
        done: 1,
        failed: 2,
        failedItems: [{ id: "item-2", class: "evicted", message: "the node left" }],
        condition: { type: "Complete", reason: "SomeItemsFailed" },
      }),
    });
    const released: string[] = [];
    return {
      job,
      opalJob,
      released,
      blobs: { readText: async (ref: string) => reports.get(ref) },
      opalJobs: { removeFinalizer: async ({ metadata }: OpalJob) => void released.push(metadata.name) },
    };
  }

  const exportsOf = async (jobId: string) =>
    sql`select item_id from opal.outbox where queue = 'exports' and job_id = ${jobId}`;

  test.each(around("find", "readText", "record", "removeFinalizer"))("$when $call", async (death) => {
    const { job, opalJob, released, blobs, opalJobs } = await finishedJob();
    const store = createProjectionStore(sql);
    await dies(
      project(opalJob, {
        store: mortal(store, death),
        blobs: mortal(blobs, death),
        opalJobs: mortal(opalJobs, death),
      }),
    );
    await project(opalJob, { store, blobs, opalJobs });
    expect(released.at(-1)).toBe(job.jobId);
    expect(await itemsOf(sql, job)).toMatchObject([
      { status: "processing", isRendered: true },
      { status: "failed", failureClass: "no-product" },
      { status: "failed", failureClass: "evicted", failureMessage: "the node left" },
    ]);
    expect(await exportsOf(job.jobId)).toHaveLength(1);
  });

  test("never lets an OpalJob go before its verdicts are committed", async () => {
    const { opalJob, released, blobs, opalJobs } = await finishedJob();
    const store = mortal(createProjectionStore(sql), { call: "record", when: "before" });
    await dies(project(opalJob, { store, blobs, opalJobs }));
    expect(released).toEqual([]);
  });

  test("leaves alone what somebody else applied", async () => {
    const { opalJob, released, blobs, opalJobs } = await finishedJob();
    const foreign = { ...opalJob, metadata: { ...opalJob.metadata, finalizers: [] } };
    expect(await project(foreign, { store: createProjectionStore(sql), blobs, opalJobs })).toBeUndefined();
    expect(released).toEqual([]);
  });

  test("fails an item whose report is not one", async () => {
    const { job, opalJob, blobs, opalJobs } = await finishedJob();
    const odd = { readText: async (ref: string) => (ref.includes("item-1") ? "{" : blobs.readText(ref)) };
    await project(opalJob, { store: createProjectionStore(sql), blobs: odd, opalJobs });
    expect((await itemsOf(sql, job))[1]).toMatchObject({
      status: "failed",
      failureClass: "unknown",
      failureMessage: "The item's report is unreadable: it is not JSON",
    });
  });
});

describe("the relay dies", () => {
  test.each(around("send"))("$when $call: the message keeps its id", async (death) => {
    const job = await queueJob(sql);
    const outbox = createOutbox(sql);
    const sent: string[] = [];
    const bus = {
      send: async (_: string, messages: readonly { id: string; body: object }[]) =>
        void sent.push(
          ...messages.filter(({ body }) => JSON.stringify(body).includes(job.jobId)).map(({ id }) => id),
        ),
    };
    await dies(drainOutbox("jobs", { outbox, bus: mortal(bus, death) }, aliveSignal));
    await drainOutbox("jobs", { outbox, bus }, aliveSignal);
    await drainOutbox("jobs", { outbox, bus }, aliveSignal);
    expect(sent).toHaveLength(death.when === "after" ? 2 : 1);
    expect(new Set(sent).size).toBe(1);
  });
});

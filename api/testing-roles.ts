/** Runs the api's roles as the processes that they are, and plays the operator towards them. */
import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { CoreV1Api, CustomObjectsApi, type KubeConfig } from "@kubernetes/client-node";
import { GROUP, VERSION } from "#crds/names.ts";
import { OpalJob, type OpalJobStatus } from "#crds/opaljob.ts";
import type { Role } from "./config.ts";
import { eventually } from "./testing.ts";

const MAIN = fileURLToPath(new URL("main.ts", import.meta.url));

export interface RoleProcess {
  readonly port: number;
  readonly url: string;
  readonly lines: readonly Record<string, unknown>[];
  /** @returns the exit code. */
  stop(): Promise<number | null>;
  kill(): Promise<void>;
}

export interface RoleSettings {
  readonly databaseUrl: string;
  readonly blobConnectionString: string;
  readonly busConnectionString: string;
  readonly kubeconfig: string;
  readonly namespace: string;
  /** Tenant by API key. */
  readonly keys: Readonly<Record<string, string>>;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Roles {
  start(role: Role): Promise<RoleProcess>;
  close(): Promise<void>;
}

export async function createRoles(settings: RoleSettings): Promise<Roles> {
  const folder = await mkdtemp(join(tmpdir(), "opal-api-roles-"));
  const file = async (name: string, text: string) => {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    return path;
  };
  const keys = Object.entries(settings.keys).map(([key, tenant]) => ({
    tenant,
    sha256: createHash("sha256").update(key).digest("hex"),
  }));
  const env = {
    KUBECONFIG: settings.kubeconfig,
    OPAL_NAMESPACE: settings.namespace,
    OPAL_DATABASE_URL_FILE: await file("database-url", `${settings.databaseUrl}\n`),
    OPAL_BLOB_CONNECTION_STRING_FILE: await file("blob", settings.blobConnectionString),
    OPAL_SERVICEBUS_CONNECTION_STRING_FILE: await file("bus", settings.busConnectionString),
    OPAL_API_KEYS_FILE: await file("keys.json", JSON.stringify(keys)),
    OPAL_PORT: "0",
    ...settings.env,
  };
  const running = new Set<RoleProcess>();
  return {
    async start(role) {
      const process = await startRole(role, env);
      running.add(process);
      return process;
    },
    async close() {
      await Promise.all([...running].map((role) => role.kill()));
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function startRole(role: Role, env: Record<string, string | undefined>): Promise<RoleProcess> {
  const child: ChildProcess = spawn(process.execPath, [MAIN, role], {
    env,
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = new Promise<number | null>((resolve) => child.once("exit", resolve));
  const lines: Record<string, unknown>[] = [];
  if (child.stdout) {
    createInterface(child.stdout).on("line", (line) =>
      lines.push(JSON.parse(line) as Record<string, unknown>),
    );
  }
  const ready = await eventually(`${role} is ready`, () => {
    if (child.exitCode !== null) throw new Error(`${role} has ended: ${JSON.stringify(lines)}`);
    return lines.find((line) => line["msg"] === "ready");
  });
  const port = Number(ready["port"]);
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    lines,
    async stop() {
      child.kill("SIGTERM");
      return exited;
    },
    async kill() {
      child.kill("SIGKILL");
      await exited;
    },
  };
}

export interface TestNamespace {
  readonly name: string;
  find(job: string): Promise<OpalJob | undefined>;
  setStatus(job: string, status: OpalJobStatus): Promise<void>;
  delete(job: string): Promise<void>;
  /** As somebody with too many rights would do it. */
  dropFinalizers(job: string): Promise<void>;
  remove(): Promise<void>;
}

export async function createNamespace(kubeConfig: KubeConfig): Promise<TestNamespace> {
  const core = kubeConfig.makeApiClient(CoreV1Api);
  const custom = kubeConfig.makeApiClient(CustomObjectsApi);
  const created = await core.createNamespace({ body: { metadata: { generateName: "opal-api-test-" } } });
  const namespace = created.metadata?.name ?? "";
  const at = { group: GROUP, version: VERSION, namespace, plural: "opaljobs" };
  const raw = async (name: string) => (await custom.getNamespacedCustomObject({ ...at, name })) as OpalJob;
  const dropFinalizers = async (name: string) => {
    const object = await raw(name);
    const body = { ...object, metadata: { ...object.metadata, finalizers: [] } };
    await custom.replaceNamespacedCustomObject({ ...at, name, body });
  };
  return {
    name: namespace,
    async find(job) {
      const page = (await custom.listNamespacedCustomObject(at)) as { items: unknown[] };
      return page.items.map((item) => OpalJob.parse(item)).find(({ metadata }) => metadata.name === job);
    },
    async setStatus(job, status) {
      const body = { ...(await raw(job)), status };
      await custom.replaceNamespacedCustomObjectStatus({ ...at, name: job, body });
    },
    async delete(job) {
      await custom.deleteNamespacedCustomObject({ ...at, name: job });
    },
    dropFinalizers,
    async remove() {
      const { items } = (await custom.listNamespacedCustomObject(at)) as { items: OpalJob[] };
      for (const { metadata } of items) {
        if (metadata.finalizers?.length) await dropFinalizers(metadata.name);
      }
      await core.deleteNamespace({ name: namespace });
    },
  };
}

/**
 * One launcher for everything: the control plane, blob server, Postgres and Service Bus, then the operator, the
 * api's roles and the export worker, in order, on free ports. Several can run side by side. What it started ends
 * with it, also when it is killed.
 */
import { randomBytes, createHash } from "node:crypto";
import { mkdir, mkdtemp, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { stringify } from "yaml";
import { startCluster, type Cluster } from "../dev-cluster/cluster.ts";
import { nodeProgram } from "../processes/node-program.ts";
import { spawnPart, type Part } from "../processes/part.ts";
import { startReaper, type Reaper } from "../processes/reaper.ts";
import { ensureReady } from "../setup/setup.ts";
import { startStack, type Stack } from "../stack/stack.ts";
import { prepareCluster } from "./prepare-cluster.ts";
import { prepareDatabase } from "./prepare-database.ts";
import { putExamples } from "./put-examples.ts";
import {
  IDENTITIES,
  NAMESPACE,
  operatorConfig,
  roleProgram,
  ROLES,
  RUNNER_IMAGE,
  type LeaseSettings,
  type PoolSettings,
  type RoleFiles,
  type RoleName,
} from "./settings.ts";

const ROOT = new URL("../../", import.meta.url);
const GPU_CLASS = "simulated";
const ROLE_READY_SECONDS = 60;

export interface LaunchOptions {
  /** Each gets a random key. Default: demo. */
  readonly tenants?: readonly string[];
  /** Simulated GPUs of the one node. Default 1: on this many cores a second runner would only share them. */
  readonly gpus?: number;
  /** Instead of one pool `local` of so many GPUs: several, each of a class of its own with a node of its own. */
  readonly pools?: readonly PoolSettings[];
  /** What runs instead of the real runner: argv. */
  readonly runner?: readonly string[];
  readonly lease?: LeaseSettings;
  /** Further environment of the api's roles. */
  readonly tuning?: Readonly<Record<string, string>>;
  /** Further environment of the runners. */
  readonly runnerEnv?: Readonly<Record<string, string>>;
  readonly onProgress?: (text: string) => void;
}

interface RoleReady {
  readonly port: number;
}

export interface Opal {
  /** Holds the logs of all parts. */
  readonly dir: string;
  readonly namespace: string;
  readonly apiUrl: string;
  readonly operatorMetricsUrl: string;
  /** Key of each tenant. */
  readonly apiKeys: Readonly<Record<string, string>>;
  readonly cluster: Cluster;
  readonly stack: Stack;
  /** SIGKILL, at once: for tests of what happens then. */
  kill(role: RoleName): Promise<void>;
  /** Starts a role that has ended. */
  start(role: RoleName): Promise<void>;
  pid(role: RoleName): number;
  stop(): Promise<void>;
}

export async function launchOpal(options: LaunchOptions = {}): Promise<Opal> {
  const { modelsDir } = await ensureReady();
  const say = options.onProgress ?? (() => {});
  const dir = await mkdtemp(join(tmpdir(), "opal-"));
  const reaper = startReaper({ env: process.env });
  reaper.removeFolder(dir);
  const closing = new AsyncDisposableStack();
  closing.defer(() => reaper.close());
  try {
    say("Kubernetes, Postgres, blob server and Service Bus");
    const [cluster, stack] = await startBoth(options, { dir, reaper, closing });
    say("schema, rights and settings");
    const context = { dir, cluster, stack, options, modelsDir };
    const { files, apiKeys } = await prepare(context);
    say("operator, api and export worker");
    const parts = new Map<RoleName, Part<RoleReady>>();
    const start = async (role: RoleName) => {
      // Clients know the address of its earlier life.
      const port = parts.get(role)?.ready.port ?? 0;
      parts.set(role, await startRole(role, { files, dir, reaper, port, tuning: options.tuning ?? {} }));
    };
    closing.defer(async () => void (await Promise.all([...parts.values()].map((part) => part.stop()))));
    await Promise.all(ROLES.map(start));
    return {
      dir,
      namespace: NAMESPACE,
      apiUrl: `http://127.0.0.1:${partOf(parts, "serve").ready.port}`,
      operatorMetricsUrl: `http://127.0.0.1:${partOf(parts, "operator").ready.port}/metrics`,
      apiKeys,
      cluster,
      stack,
      start,
      kill: async (role) => void (await partOf(parts, role).kill()),
      pid: (role) => partOf(parts, role).pid,
      stop: () => closing.disposeAsync(),
    };
  } catch (error) {
    await closing.disposeAsync();
    throw error;
  }
}

function partOf(parts: ReadonlyMap<RoleName, Part<RoleReady>>, role: RoleName): Part<RoleReady> {
  const part = parts.get(role);
  if (!part) throw new Error(`${role} was never started`);
  return part;
}

function poolsOf({ gpus = 1, pools }: LaunchOptions): readonly PoolSettings[] {
  return pools ?? [{ name: "local", gpuClass: GPU_CLASS, gpus }];
}

/** Both at once; when one fails the other one is still stopped. */
async function startBoth(
  options: LaunchOptions,
  { dir, reaper, closing }: { dir: string; reaper: Reaper; closing: AsyncDisposableStack },
): Promise<[Cluster, Stack]> {
  const { runner, onProgress } = options;
  const cluster = startCluster({
    dir: join(dir, "cluster"),
    identities: IDENTITIES,
    images: {
      [RUNNER_IMAGE]: runner ?? [process.execPath, fileURLToPath(new URL("gpu-runner/main.ts", ROOT))],
    },
    nodes: poolsOf(options).map(({ gpus, gpuClass }, n) => ({ name: `gpu-${n}`, gpus, gpuClass })),
    ...(onProgress && { onProgress }),
  }).then((started) => {
    closing.defer(() => started.stop());
    return started;
  });
  const stack = startStack({ dir: join(dir, "stack"), reaper }).then((started) => {
    closing.defer(() => started.stop());
    return started;
  });
  await Promise.allSettled([cluster, stack]);
  return Promise.all([cluster, stack]);
}

interface Prepare {
  readonly dir: string;
  readonly cluster: Cluster;
  readonly stack: Stack;
  readonly options: LaunchOptions;
  readonly modelsDir: string;
}

async function prepare({ dir, cluster, stack, options, modelsDir }: Prepare) {
  const secrets = join(dir, "secrets");
  await mkdir(secrets, { mode: 0o700 });
  const put = async (name: string, content: string) => {
    const path = join(secrets, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const tenants = options.tenants ?? ["demo"];
  const apiKeys = Object.fromEntries(
    tenants.map((tenant) => [tenant, `opal_${randomBytes(24).toString("base64url")}`]),
  );
  const [database] = await Promise.all([
    prepareDatabase(stack),
    prepareCluster(cluster, stack.blob.connectionString, poolsOf(options)),
    putExamples(stack.blob.connectionString),
  ]);
  const { lease = { durationSeconds: 15, renewSeconds: 10, retrySeconds: 2 } } = options;
  const runners = poolsOf(options).reduce((sum, { gpus }) => sum + gpus, 0);
  const threadsPerRunner = Math.max(1, Math.floor(availableParallelism() / runners));
  const operator = operatorConfig({ modelsDir, threadsPerRunner, lease, runnerEnv: options.runnerEnv });
  const files: RoleFiles = {
    operatorConfig: await put("operator.yaml", stringify(operator)),
    databaseUrl: await put("database-url", database.apiUrl),
    exportDatabaseUrl: await put("export-database-url", database.exportUrl),
    blob: await put("blob", stack.blob.connectionString),
    serviceBus: await put("service-bus", stack.serviceBus.connectionString),
    apiKeys: await put("api-keys.json", JSON.stringify(Object.entries(apiKeys).map(hashed))),
    kubeconfig: (identity) => cluster.kubeconfig(identity),
  };
  return { files, apiKeys };
}

function hashed([tenant, key]: [string, string]) {
  return { tenant, sha256: createHash("sha256").update(key).digest("hex") };
}

interface StartRole {
  readonly files: RoleFiles;
  readonly dir: string;
  readonly reaper: Reaper;
  /** 0: any free one. */
  readonly port: number;
  readonly tuning: Readonly<Record<string, string>>;
}

function startRole(
  role: RoleName,
  { files, dir, reaper, port: wanted, tuning }: StartRole,
): Promise<Part<RoleReady>> {
  const { program, args, env } = roleProgram(role, { files, port: wanted, tuning });
  const node = nodeProgram(new URL(program, ROOT), args);
  let port = 0;
  return spawnPart<RoleReady>(
    {
      name: role,
      ...node,
      env: { ...node.env, ...env },
      cwd: fileURLToPath(ROOT),
      logFile: join(dir, `${role}.log`),
      readiness: {
        by: "line",
        deadlineSeconds: ROLE_READY_SECONDS,
        read: (line) => {
          const { msg, port: named } = parseLogLine(line);
          if (typeof named === "number") port = named;
          return msg === "ready" ? { port } : undefined;
        },
      },
    },
    reaper,
  );
}

/** A line that is no JSON, a crash report for example, says nothing. */
function parseLogLine(line: string): { msg?: unknown; port?: unknown } {
  try {
    return JSON.parse(line) as { msg?: unknown; port?: unknown };
  } catch {
    return {};
  }
}

import { spawn, type SpawnOptions } from "node:child_process";
import { readFile } from "node:fs/promises";
import { dirname, isAbsolute, join } from "node:path";
import { parse } from "yaml";
import * as z from "zod";

/**
 * Where the API server is and how to sign requests to it. A pod's service account and kubeconfigs with tokens
 * or client certificates are read here; users that need a plug-in or a sign-in (exec, OIDC) go through
 * @kubernetes/client-node, which is loaded only then, because it costs 87 MB of memory.
 */
export interface ClusterAccess {
  readonly server: URL;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
    readonly rejectUnauthorized?: boolean;
  };
  /** Asked before each request, because tokens are renewed. */
  authorization(): Promise<string | undefined>;
}

const Kubeconfig = z.looseObject({
  "current-context": z.string().min(1),
  contexts: z.array(
    z.object({ name: z.string(), context: z.object({ cluster: z.string(), user: z.string() }) }),
  ),
  clusters: z.array(
    z.object({
      name: z.string(),
      cluster: z.object({
        server: z.string(),
        "certificate-authority": z.string().optional(),
        "certificate-authority-data": z.string().optional(),
        "insecure-skip-tls-verify": z.boolean().optional(),
        "tls-server-name": z.string().optional(),
        "proxy-url": z.string().optional(),
      }),
    }),
  ),
  users: z.array(
    z.object({
      name: z.string(),
      user: z.looseObject({
        token: z.string().optional(),
        tokenFile: z.string().optional(),
        "client-certificate": z.string().optional(),
        "client-certificate-data": z.string().optional(),
        "client-key": z.string().optional(),
        "client-key-data": z.string().optional(),
      }),
    }),
  ),
});

const SERVICE_ACCOUNT_FOLDER = "/var/run/secrets/kubernetes.io/serviceaccount";
const KNOWN_USER_FIELDS = new Set([
  "token",
  "tokenFile",
  "client-certificate",
  "client-certificate-data",
  "client-key",
  "client-key-data",
]);

export interface AccessSettings {
  /** Path of a kubeconfig; without one the pod's service account is used. */
  readonly kubeconfig?: string | undefined;
  /** KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT of the pod. */
  readonly serviceHost?: string | undefined;
  readonly servicePort?: string | undefined;
  /** A kubeconfig's plug-in or sign-in has so long for its answer. */
  readonly signInTimeoutMs?: number | undefined;
}

const SIGN_IN_TIMEOUT_MS = 10_000;

/** @throws {Error} when there is neither a kubeconfig nor a service account, or one cannot be read. */
export async function loadClusterAccess(settings: AccessSettings): Promise<ClusterAccess> {
  const { kubeconfig, signInTimeoutMs = SIGN_IN_TIMEOUT_MS } = settings;
  if (kubeconfig) return fromKubeconfig(kubeconfig, signInTimeoutMs);
  if (!settings.serviceHost) throw new Error("no kubeconfig is given and this is not a pod of a cluster");
  const host = settings.serviceHost.includes(":") ? `[${settings.serviceHost}]` : settings.serviceHost;
  return {
    server: new URL(`https://${host}:${settings.servicePort ?? "443"}`),
    tls: { ca: await readFile(join(SERVICE_ACCOUNT_FOLDER, "ca.crt"), "utf8") },
    authorization: tokenFromFile(join(SERVICE_ACCOUNT_FOLDER, "token")),
  };
}

async function fromKubeconfig(path: string, signInTimeoutMs: number): Promise<ClusterAccess> {
  const config = Kubeconfig.parse(parse(await readFile(path, "utf8")));
  const context = config.contexts.find((c) => c.name === config["current-context"])?.context;
  const cluster = config.clusters.find((c) => c.name === context?.cluster)?.cluster;
  const user = config.users.find((u) => u.name === context?.user)?.user;
  if (!context || !cluster || !user) {
    throw new Error(`${path}: context "${config["current-context"]}" names no known cluster and user`);
  }
  if (cluster["proxy-url"] || Object.keys(user).some((field) => !KNOWN_USER_FIELDS.has(field))) {
    return fromClientNode(path, signInTimeoutMs);
  }
  const inline = async (text: string | undefined, file: string | undefined) => {
    if (text !== undefined) return Buffer.from(text, "base64").toString("utf8");
    return file === undefined ? undefined : readFile(relativeTo(path, file), "utf8");
  };
  return {
    server: new URL(cluster.server),
    tls: present({
      ca: await inline(cluster["certificate-authority-data"], cluster["certificate-authority"]),
      cert: await inline(user["client-certificate-data"], user["client-certificate"]),
      key: await inline(user["client-key-data"], user["client-key"]),
      servername: cluster["tls-server-name"],
      rejectUnauthorized: cluster["insecure-skip-tls-verify"] === true ? false : undefined,
    }),
    authorization: authorizationOf(path, user),
  };
}

function authorizationOf(path: string, user: { token?: string | undefined; tokenFile?: string | undefined }) {
  if (user.token !== undefined) {
    const header = `Bearer ${user.token}`;
    return () => Promise.resolve(header);
  }
  if (user.tokenFile !== undefined) return tokenFromFile(relativeTo(path, user.tokenFile));
  return () => Promise.resolve(undefined);
}

/** The kubelet renews the token in its file; reading it each minute is well within its overlap. */
function tokenFromFile(path: string): () => Promise<string> {
  let header = "";
  let readAtMs = -Infinity;
  return async () => {
    if (performance.now() - readAtMs > 60_000) {
      header = `Bearer ${(await readFile(path, "utf8")).trim()}`;
      readAtMs = performance.now();
    }
    return header;
  };
}

async function fromClientNode(path: string, timeoutMs: number): Promise<ClusterAccess> {
  const { KubeConfig } = await import("@kubernetes/client-node");
  const config = new KubeConfig();
  config.loadFromFile(path);
  const server = config.getCurrentCluster()?.server;
  if (!server) throw new Error(`${path}: the current context has no cluster`);
  if (config.getCurrentCluster()?.proxyUrl) throw new Error(`${path}: proxy-url is not supported`);
  limitPlugins(config, timeoutMs);
  const who = `${path}: user "${config.getCurrentUser()?.name}"`;
  const sign = oneAtATime(async () => {
    const options: Parameters<typeof config.applyToHTTPSOptions>[0] = {};
    const late = `it does not answer within ${timeoutMs} ms`;
    try {
      await within(config.applyToHTTPSOptions(options), timeoutMs, late);
    } catch (cause) {
      const why = cause instanceof Error ? cause.message.trim() : String(cause);
      throw new Error(`${who}: its plug-in or sign-in gives no credential: ${why || late}`, { cause });
    }
    return options;
  });
  const text = (value: unknown) =>
    typeof value === "string" || Buffer.isBuffer(value) ? value.toString() : undefined;
  const first = await sign();
  return {
    server: new URL(server),
    tls: present({
      ca: text(first.ca),
      cert: text(first.cert),
      key: text(first.key),
      rejectUnauthorized: first.rejectUnauthorized === false ? false : undefined,
    }),
    authorization: async () => {
      const { headers } = await sign();
      const header = headers && "Authorization" in headers ? headers["Authorization"] : undefined;
      return typeof header === "string" ? header : undefined;
    },
  };
}

/**
 * @kubernetes/client-node lets a plug-in run as long as it likes, and hands its process to nobody. Where a new
 * version keeps this otherwise, the test of a plug-in that hangs notices it.
 */
function limitPlugins(config: object, timeout: number): void {
  const authenticators: unknown = Reflect.get(config, "authenticators");
  if (!Array.isArray(authenticators)) return;
  for (const one of authenticators as unknown[]) {
    if (typeof one !== "object" || one === null || !("execFn" in one)) continue;
    one.execFn = (command: string, args: readonly string[] | undefined, options: SpawnOptions) =>
      spawn(command, args ?? [], { ...options, timeout, killSignal: "SIGKILL" });
  }
}

/** Who asks while an answer is on its way gets that one. */
function oneAtATime<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => {
    asked ??= ask().finally(() => {
      asked = undefined;
    });
    return asked;
  };
}

/** What a killed plug-in has begun itself may hold its pipes open: then only the time limit ends the wait. */
async function within<T>(answer: Promise<T>, timeoutMs: number, late: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(late)), timeoutMs);
  });
  try {
    return await Promise.race([answer, limit]);
  } finally {
    clearTimeout(timer);
  }
}

function relativeTo(kubeconfig: string, file: string): string {
  return isAbsolute(file) ? file : join(dirname(kubeconfig), file);
}

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** Leaves out what is undefined. */
function present<T extends object>(fields: T): Present<T> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Present<T>;
}

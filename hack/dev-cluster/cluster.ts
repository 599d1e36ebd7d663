/**
 * A Kubernetes cluster of this machine as an object: started, asked and stopped. The work is done by the Go binary
 * (main.go tells its parts); it ends with this process, also when this process is killed.
 */
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { cacheDir } from "../cache/cache-dir.ts";
import { ensureDevCluster } from "./build.ts";
import { runControl, type ControlDetails, type ControlReply, type ControlVerb } from "./control.ts";
import { runKubectl, type KubectlOptions, type KubectlResult } from "./kubectl.ts";
import type { NodeSpec } from "./node-spec.ts";

export type { NodeSpec } from "./node-spec.ts";

const SHOWN_LINES = 30;
/** Pods get 2 s, etcd 3 s; whatever is left after this is killed. */
const STOP_MILLISECONDS = 15_000;

export interface Identity {
  /** Names the kubeconfig: lower-case letters, digits and dashes. `admin` always exists. */
  readonly name: string;
  /** For a service account `system:serviceaccount:NAMESPACE:NAME`. */
  readonly user: string;
  readonly groups?: readonly string[];
  /** Namespace of the kubeconfig's context. */
  readonly namespace?: string;
}

export interface ClusterOptions {
  /** Where the cluster is kept: a later start in the same folder finds its objects again. Default: nowhere. */
  readonly dir?: string;
  readonly identities?: readonly Identity[];
  /** What stands for an image (its name without tag) as entry point: argv of a program of this machine. */
  readonly images?: Readonly<Record<string, readonly string[]>>;
  readonly nodes?: readonly NodeSpec[];
  /** Environment variables of this process that pods inherit, beside PATH, HOME, TMPDIR and LANG. */
  readonly passEnv?: readonly string[];
  /** After how long a silence a node counts as lost, in seconds, at least 4; default 40. */
  readonly nodeGraceSeconds?: number;
  readonly extraArgs?: Readonly<Partial<Record<ComponentName, readonly string[]>>>;
  readonly onProgress?: (text: string) => void;
}

export type ComponentName = "etcd" | "apiserver" | "controller-manager" | "scheduler";

/** What a running cluster says of itself. */
export interface Ready {
  readonly server: string;
  readonly dir: string;
  /** The control socket. */
  readonly control: string;
  readonly pid: number;
  /** Paths by identity. */
  readonly kubeconfigs: Readonly<Record<string, string>>;
  readonly seconds: number;
}

export interface Cluster {
  readonly dir: string;
  /** `https://127.0.0.1:PORT` */
  readonly server: string;
  /** Of the supervisor. */
  readonly pid: number;
  /** From the start to the cluster being usable. */
  readonly seconds: number;
  readonly ready: Ready;
  /** Resolves with the reason when the cluster ends without having been asked to. */
  readonly broken: Promise<Error>;
  /** @returns the path of that identity's kubeconfig; @throws when there is no such identity */
  kubeconfig(identity?: string): string;
  /** Runs kubectl, as admin unless told otherwise. Does not throw on a code other than 0. */
  kubectl(args: readonly string[], options?: KubectlOptions): Promise<KubectlResult>;
  /** Steers the cluster; @throws with the cluster's words when it cannot do that. */
  control(verb: ControlVerb, name?: string, details?: ControlDetails): Promise<ControlReply>;
  /** Stops everything; removes a cluster without `dir`. Harmless when called twice. */
  stop(): Promise<void>;
}

/**
 * Starts a cluster, building its binary first when that is missing, and resolves when it is usable.
 * @throws with the cluster's last words when it does not start; nothing is left running then
 */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const { onProgress = () => {} } = options;
  const build = await ensureDevCluster({ cache: cacheDir(process.env), onProgress });
  const child = await spawnSupervisor(build.binary, options);
  const words = lastWords(child, onProgress);
  const ended = once(child, "close").then(() => new Error(`the dev cluster ended:\n${words.join("\n")}`));
  const ready = await Promise.race([readReady(child), ended.then((error) => Promise.reject(error))]);
  let isStopping = false;
  const kubeconfig = (identity = "admin") => {
    const file = ready.kubeconfigs[identity];
    if (!file) throw new Error(`the cluster has no identity ${identity}`);
    return file;
  };
  return {
    dir: ready.dir,
    server: ready.server,
    pid: ready.pid,
    seconds: ready.seconds,
    ready,
    broken: ended.then((error) => (isStopping ? new Promise<Error>(() => {}) : error)),
    kubeconfig,
    kubectl: (args, { identity, ...rest } = {}) =>
      runKubectl(build.kubectl, args, { ...rest, kubeconfig: kubeconfig(identity), dir: ready.dir }),
    control: (verb, name, details) => runControl(ready.control, verb, name, details),
    async stop() {
      isStopping = true;
      // The end of its stdin is what the supervisor also sees when this process dies.
      child.stdin?.end();
      const killer = setTimeout(() => child.kill("SIGKILL"), STOP_MILLISECONDS);
      await ended;
      clearTimeout(killer);
    },
  };
}

/** The supervisor reads its configuration before anything else, but when is its matter: the file stays until it ends. */
async function spawnSupervisor(binary: string, options: ClusterOptions): Promise<ChildProcess> {
  const folder = await mkdtemp(join(tmpdir(), "opal-cluster-config-"));
  const file = join(folder, "config.json");
  await writeFile(file, configJson(options));
  const child = spawn(binary, ["up", "--config", file, "--exit-on-stdin-eof"], {
    stdio: ["pipe", "pipe", "pipe"],
  });
  child.stdin.on("error", () => {}); // it may end before we close it
  child.once("close", () => void rm(folder, { recursive: true, force: true }));
  await once(child, "spawn");
  return child;
}

/** The configuration as the binary reads it, see internal/cluster/config.go. */
export function configJson(options: ClusterOptions): string {
  const { dir } = options;
  return JSON.stringify({ ...options, onProgress: undefined, dir: dir && resolve(dir) });
}

function lastWords(child: ChildProcess, onProgress: (text: string) => void): string[] {
  const words: string[] = [];
  if (!child.stderr) throw new Error("the supervisor was started without a pipe");
  createInterface(child.stderr).on("line", (line) => {
    words.push(line);
    if (words.length > SHOWN_LINES) words.shift();
    onProgress(line.replace(/^\s*[\d.]+s /, ""));
  });
  return words;
}

/** Never settles when the process ends without that line. */
function readReady(child: ChildProcess): Promise<Ready> {
  return new Promise((done) => {
    if (!child.stdout) throw new Error("the supervisor was started without a pipe");
    createInterface(child.stdout).once("line", (line) => done(JSON.parse(line) as Ready));
  });
}

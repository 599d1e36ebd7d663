/**
 * Kueue as the peer of benches and tests: its full manager, and the manager and runner of its own scheduler bench,
 * built from its published Go module into the cache folder on first use, with the manifests that they need.
 *
 *   ensureKueue          the programs and manifests, built when they are missing
 *   startKueueManager    (manager.ts) the full manager beside a dev cluster, webhooks included
 *   createKueueQueue     (manager.ts) one queue with a quota of GPUs
 */
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isMade, madeOnce } from "../../cache/made-once.ts";
import { compile } from "../../dev-cluster/compile.ts";
import { buildKey, type GoModule, goVersion, loadModule, type PeerOptions } from "../go-module.ts";

export const USUAL_KUEUE_BUILD_TIME = "4-7 minutes on two cores, once";

const MODULE: GoModule = {
  title: "Kueue",
  path: "sigs.k8s.io/kueue",
  version: "v0.19.2",
  sum: "h1:mPNzr37u0nwI7ikST5QQl5gg6EgtYOAvC9ZbTgywdN8=",
};
const LINK_FLAGS = ["-ldflags=-s -w"];

const PROGRAMS = { kueue: "./cmd/kueue", runner: "./test/performance/scheduler/runner" };
const MINIMAL = "test/performance/scheduler/minimalkueue/main.go";
/**
 * Kueue's bench holds its manager to 50 requests a second, which is not what is shipped. Both sides get what is.
 * On two cores it makes no difference: its cycle sets the pace.
 */
export const KUEUE_CLIENT = { perSecond: 300, burst: 500 };
const CLIENT_LIMITS = [
  { was: "kubeConfig.QPS = 50", is: `kubeConfig.QPS = ${KUEUE_CLIENT.perSecond}` },
  { was: "kubeConfig.Burst = 100", is: `kubeConfig.Burst = ${KUEUE_CLIENT.burst}` },
];
/** What is kept of the module's files and folders, by the name it gets. */
const FILES = {
  crds: "config/components/crd/bases",
  "crd-patches": "config/components/crd/patches",
  "webhooks.yaml": "config/components/webhook/manifests.yaml",
  "baseline.yaml": "test/performance/scheduler/configs/baseline/generator.yaml",
};

export interface KueuePeer {
  /** The manager as it is shipped. */
  readonly manager: string;
  /** Core controllers and scheduler alone: no Jobs, no webhooks. Its client is that of `KUEUE_CLIENT`. */
  readonly minimalKueue: string;
  /** Makes the load of Kueue's scheduler bench, mimics its execution and records what became of it. */
  readonly runner: string;
  /** Folder of its CRDs. */
  readonly crds: string;
  /** Folder of patches that give its CRDs their conversion webhooks. */
  readonly crdPatches: string;
  readonly webhooks: string;
  /** The load of 15,000 Workloads that Kueue publishes figures of. */
  readonly baseline: string;
}

/** @throws {Error} when there is no Go, the module is not the one that is meant, or with the compiler's words */
export async function ensureKueue({ cache, onProgress = () => {} }: PeerOptions): Promise<KueuePeer> {
  const parent = parentOf(cache);
  const go = await goVersion();
  if (go === undefined) {
    throw new Error("Kueue is built with Go and there is none on the PATH: install it (https://go.dev/dl).");
  }
  const dir = await madeOnce({
    parent,
    key: keyFor(go),
    make: (folder) => build(parent, folder, onProgress),
    onWait: (owner) => onProgress(`waiting for process ${owner ?? "unknown"}, which is building it`),
  });
  return {
    manager: join(dir, "kueue"),
    minimalKueue: join(dir, "minimalkueue"),
    runner: join(dir, "runner"),
    crds: join(dir, "crds"),
    crdPatches: join(dir, "crd-patches"),
    webhooks: join(dir, "webhooks.yaml"),
    baseline: join(dir, "baseline.yaml"),
  };
}

/** Whether `ensureKueue` would have nothing to build. */
export async function isKueueBuilt(cache: string): Promise<boolean> {
  const go = await goVersion();
  return go !== undefined && isMade(parentOf(cache), keyFor(go));
}

function parentOf(cache: string): string {
  return join(cache, "peers", "kueue");
}

function keyFor(go: string): string {
  return buildKey(go, MODULE, [LINK_FLAGS, PROGRAMS, FILES, CLIENT_LIMITS]);
}

async function build(parent: string, folder: string, onProgress: (text: string) => void): Promise<void> {
  onProgress("loading its Go module");
  const module = await loadModule(MODULE, parent);
  const shared = { what: `${MODULE.title} ${MODULE.version}`, module, flags: LINK_FLAGS, folder, onProgress };
  await compile({ ...shared, packages: PROGRAMS });
  // Go takes packages or files, not both at once.
  await compile({ ...shared, packages: { minimalkueue: await minimalSource(module, folder) } });
  for (const [name, path] of Object.entries(FILES)) {
    await copyWritable(join(module, path), join(folder, name));
  }
}

/** The minimal manager with other limits of its client. @returns the file's path */
async function minimalSource(module: string, folder: string): Promise<string> {
  const original = join(module, MINIMAL);
  let source = await readFile(original, "utf8");
  for (const { was, is } of CLIENT_LIMITS) {
    if (!source.includes(was)) throw new Error(`${original} does not say "${was}"`);
    source = source.replace(was, is);
  }
  const changed = join(folder, "minimalkueue.go");
  await writeFile(changed, source);
  return changed;
}

/** Go keeps modules read-only; what is in our cache must be removable. */
async function copyWritable(from: string, to: string): Promise<void> {
  if (!(await stat(from)).isDirectory()) return writeFile(to, await readFile(from));
  await mkdir(to);
  for (const name of await readdir(from)) await copyWritable(join(from, name), join(to, name));
}

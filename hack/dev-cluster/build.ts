/**
 * Builds the dev cluster's binary on first use into the cache folder, under the hash of all that goes into it: a
 * change of its sources, its modules or the Go version is another binary. What is there is complete, because a
 * finished build is put there by one rename; a build that was cut off leaves nothing but a folder to sweep up.
 */
import { createHash } from "node:crypto";
import { access, mkdir, readdir, readFile, rename, rm, stat, symlink, utimes } from "node:fs/promises";
import { join } from "node:path";
import { withLock } from "../cache/lock.ts";
import { BUILD_FLAGS, GO_ENV, LINK_FLAGS, runGo, SOURCES } from "./go.ts";

export const USUAL_BUILD_TIME = "6-7 minutes on two cores, once";

/** Other checkouts and branches may use other builds: one goes when nobody has asked for it for so long. */
const KEPT_DAYS = 7;
const DAY_MILLISECONDS = 24 * 60 * 60 * 1000;

export interface DevClusterBuild {
  readonly binary: string;
  /** The same binary under its other name: kubectl of the cluster's own version. */
  readonly kubectl: string;
}

export interface BuildOptions {
  /** The cache folder, see `cacheDir`. */
  readonly cache: string;
  /** Called with a short text, often, and only when there is something to build or to wait for. */
  readonly onProgress?: (text: string) => void;
}

/**
 * @throws {Error} with one sentence and a remedy when there is no Go or one that is too old, or with the compiler's words
 */
export async function ensureDevCluster({
  cache,
  onProgress = () => {},
}: BuildOptions): Promise<DevClusterBuild> {
  const builds = join(cache, "dev-cluster");
  const key = await buildKey();
  const dir = join(builds, key);
  const build = { binary: join(dir, "dev-cluster"), kubectl: join(dir, "kubectl") };
  if (await isThere(build.binary)) {
    await utimes(dir, new Date(), new Date());
    return build;
  }
  await withLock(
    join(builds, "build.lock"),
    async () => {
      if (await isThere(build.binary)) return;
      await removeUnfinished(builds);
      await compile(`${dir}${UNFINISHED}`, onProgress);
      await rename(`${dir}${UNFINISHED}`, dir);
      await removeUnused(builds, Date.now());
    },
    { onWait: (owner) => onProgress(`waiting for process ${owner ?? "unknown"}, which is building it`) },
  );
  return build;
}

const UNFINISHED = ".unfinished";

async function buildKey(): Promise<string> {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([await goVersion(), process.arch, BUILD_FLAGS, LINK_FLAGS, GO_ENV]));
  const names = await readdir(SOURCES, { recursive: true });
  const isSource = (name: string) => /\.go$|^go\.(mod|sum)$/.test(name) && !name.endsWith("_test.go");
  for (const name of names.filter(isSource).sort()) {
    hash.update(`\n${name}\n`).update(await readFile(join(SOURCES, name)));
  }
  return hash.digest("hex").slice(0, 20);
}

/** Asked in the module's folder, where Go may switch to the version that the module needs. */
async function goVersion(): Promise<string> {
  if (process.platform !== "linux") {
    throw new Error("The dev cluster runs on Linux only: use kind, or point KUBECONFIG to a cluster.");
  }
  const lines: string[] = [];
  const { code, missing } = await runGo(["version"], (line) => lines.push(line));
  const needed = /^go (\S+)$/m.exec(await readFile(join(SOURCES, "go.mod"), "utf8"))?.[1] ?? "";
  if (missing) {
    throw new Error(
      `The dev cluster is built with Go and there is none on the PATH: install Go ${needed} or newer (https://go.dev/dl), then run the command again.`,
    );
  }
  if (code !== 0) {
    throw new Error(`The dev cluster needs Go ${needed} or newer: ${lines.join(" ")}`);
  }
  return lines.join(" ");
}

async function compile(out: string, onProgress: (text: string) => void): Promise<void> {
  onProgress("loading its Go modules");
  await mkdir(out, { recursive: true });
  const total = await countPackages(onProgress);
  let compiled = 0;
  const tail: string[] = [];
  const { code } = await runGo(
    ["build", ...BUILD_FLAGS, ...LINK_FLAGS, "-v", "-o", join(out, "dev-cluster"), "."],
    (line) => {
      tail.push(line);
      if (tail.length > 20) tail.shift();
      compiled++;
      onProgress(compiled < total ? `compiled ${compiled} of ${total} packages` : "linking");
    },
  );
  if (code !== 0) throw new Error(`Building the dev cluster failed:\n${tail.join("\n")}`);
  await symlink("dev-cluster", join(out, "kubectl"));
}

/** Also downloads the modules. Packages that Go's own cache holds are counted though they will not be compiled. */
async function countPackages(onProgress: (text: string) => void): Promise<number> {
  let packages = 0;
  let downloads = 0;
  const problems: string[] = [];
  const { code } = await runGo(["list", "-deps", "."], (line) => {
    if (line.startsWith("go: downloading")) onProgress(`downloaded ${++downloads} modules`);
    else if (line.startsWith("go: ")) problems.push(line);
    else packages++;
  });
  if (code !== 0) {
    throw new Error(
      `The dev cluster's Go modules could not be loaded (is the network there?):\n${problems.join("\n")}`,
    );
  }
  return packages;
}

async function removeUnfinished(builds: string): Promise<void> {
  for (const name of await readdir(builds)) {
    if (name.endsWith(UNFINISHED)) await rm(join(builds, name), { recursive: true });
  }
}

async function removeUnused(builds: string, now: number): Promise<void> {
  for (const entry of await readdir(builds, { withFileTypes: true })) {
    const dir = join(builds, entry.name);
    const isOld = entry.isDirectory() && now - (await stat(dir)).mtimeMs > KEPT_DAYS * DAY_MILLISECONDS;
    if (isOld) await rm(dir, { recursive: true, force: true });
  }
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

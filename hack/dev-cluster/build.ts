/**
 * Builds the dev cluster's binary on first use into the cache folder, under the hash of all that goes into it: a
 * change of its sources, its modules or the Go version is another binary.
 */
import { createHash } from "node:crypto";
import { readdir, readFile, symlink } from "node:fs/promises";
import { join } from "node:path";
import { madeOnce } from "../cache/made-once.ts";
import { compile } from "./compile.ts";
import { BUILD_FLAGS, GO_ENV, LINK_FLAGS, runGo, SOURCES } from "./go.ts";

export const USUAL_BUILD_TIME = "6-7 minutes on two cores, once";

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
  const dir = await madeOnce({
    parent: join(cache, "dev-cluster"),
    key: await buildKey(),
    async make(folder) {
      const packages = { [PROGRAM]: "." };
      await compile({
        what: "the dev cluster",
        module: SOURCES,
        packages,
        flags: LINK_FLAGS,
        folder,
        onProgress,
      });
      await symlink(PROGRAM, join(folder, "kubectl"));
    },
    onWait: (owner) => onProgress(`waiting for process ${owner ?? "unknown"}, which is building it`),
  });
  return { binary: join(dir, PROGRAM), kubectl: join(dir, "kubectl") };
}

const PROGRAM = "dev-cluster";

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

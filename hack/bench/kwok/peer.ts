/**
 * kwok, which plays the kubelets of nodes that are not there: built from its published Go module into the cache
 * folder on first use.
 */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import * as z from "zod";
import { madeOnce } from "../../cache/made-once.ts";
import { compile } from "../../dev-cluster/compile.ts";
import { BUILD_FLAGS, GO_ENV, runGo } from "../../dev-cluster/go.ts";

export const USUAL_KWOK_BUILD_TIME = "3-5 minutes on two cores, once";

const MODULE = "sigs.k8s.io/kwok";
const KWOK_VERSION = "v0.7.0";
/** Of the module's files, as Go's checksum database has it; its own go.sum vouches for its dependencies. */
const SUM = "h1:+eGsNOIPapjsSzeZlOEcwbpyEVa2Vqlcafa0qIjaKV4=";
const FLAGS = ["-ldflags=-s -w"];
const PROGRAMS = { kwok: "./cmd/kwok" };

export interface PeerOptions {
  /** The cache folder, see `cacheDir`. */
  readonly cache: string;
  /** Called with a short text, often, and only when there is something to build or to wait for. */
  readonly onProgress?: (text: string) => void;
}

/** @returns the program; @throws {Error} when there is no Go, another module than is meant, or with Go's words */
export async function ensureKwok({ cache, onProgress = () => {} }: PeerOptions): Promise<string> {
  const parent = join(cache, "peers", "kwok");
  const folder = await madeOnce({
    parent,
    key: await key(),
    async make(folder) {
      const module = await download(parent, onProgress);
      const what = `kwok ${KWOK_VERSION}`;
      await compile({ what, module, packages: PROGRAMS, flags: FLAGS, folder, onProgress });
    },
    onWait: (owner) => onProgress(`waiting for process ${owner ?? "unknown"}, which is building it`),
  });
  return join(folder, "kwok");
}

async function key(): Promise<string> {
  const lines: string[] = [];
  const { code, missing } = await runGo(["version"], (line) => lines.push(line));
  if (missing) throw new Error("kwok is built with Go and there is none on the PATH: install it first.");
  if (code !== 0) throw new Error(`go version failed: ${lines.join(" ")}`);
  const parts = [SUM, lines, process.arch, BUILD_FLAGS, FLAGS, GO_ENV, PROGRAMS];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 20);
}

const Download = z.object({ Dir: z.string(), Sum: z.string() });

/** @returns the module's folder in Go's own cache of modules */
async function download(parent: string, onProgress: (text: string) => void): Promise<string> {
  onProgress("loading its Go module");
  await mkdir(parent, { recursive: true });
  const lines: string[] = [];
  const asked = ["mod", "download", "-json", `${MODULE}@${KWOK_VERSION}`];
  const { code } = await runGo(asked, (line) => line.startsWith("go: ") || lines.push(line), parent);
  if (code !== 0) {
    throw new Error(`kwok's Go module could not be loaded (is the network there?):\n${lines.join("\n")}`);
  }
  const { Dir, Sum } = Download.parse(JSON.parse(lines.join("\n")));
  if (Sum !== SUM) throw new Error(`${MODULE} ${KWOK_VERSION} has the checksum ${Sum}, not ${SUM}`);
  return Dir;
}

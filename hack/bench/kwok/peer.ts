/**
 * kwok, which plays the kubelets of nodes that are not there: built from its published Go module into the cache
 * folder on first use.
 */
import { join } from "node:path";
import { madeOnce } from "../../cache/made-once.ts";
import { compile } from "../../dev-cluster/compile.ts";
import { buildKey, type GoModule, goVersion, loadModule, type PeerOptions } from "../go-module.ts";

export const USUAL_KWOK_BUILD_TIME = "3-5 minutes on two cores, once";

const MODULE: GoModule = {
  title: "kwok",
  path: "sigs.k8s.io/kwok",
  version: "v0.7.0",
  sum: "h1:+eGsNOIPapjsSzeZlOEcwbpyEVa2Vqlcafa0qIjaKV4=",
};
const FLAGS = ["-ldflags=-s -w"];
const PROGRAMS = { kwok: "./cmd/kwok" };

/** @returns the program; @throws {Error} when there is no Go, another module than is meant, or with Go's words */
export async function ensureKwok({ cache, onProgress = () => {} }: PeerOptions): Promise<string> {
  const parent = join(cache, "peers", "kwok");
  const go = await goVersion();
  if (go === undefined)
    throw new Error("kwok is built with Go and there is none on the PATH: install it first.");
  const folder = await madeOnce({
    parent,
    key: buildKey(go, MODULE, [FLAGS, PROGRAMS]),
    async make(folder) {
      onProgress("loading its Go module");
      const module = await loadModule(MODULE, parent);
      const what = `${MODULE.title} ${MODULE.version}`;
      await compile({ what, module, packages: PROGRAMS, flags: FLAGS, folder, onProgress });
    },
    onWait: (owner) => onProgress(`waiting for process ${owner ?? "unknown"}, which is building it`),
  });
  return join(folder, "kwok");
}

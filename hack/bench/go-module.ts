/** A peer's published Go module: loaded into Go's own cache of modules, and known by its checksum. */
import { createHash } from "node:crypto";
import { mkdir } from "node:fs/promises";
import * as z from "zod";
import { BUILD_FLAGS, GO_ENV, runGo } from "../dev-cluster/go.ts";

export interface GoModule {
  /** What people call it. */
  readonly title: string;
  readonly path: string;
  readonly version: string;
  /** Of the module's files, as Go's checksum database has it; its own go.sum vouches for its dependencies. */
  readonly sum: string;
}

export interface PeerOptions {
  /** The cache folder, see `cacheDir`. */
  readonly cache: string;
  /** Called with a short text, often, and only when there is something to build or to wait for. */
  readonly onProgress?: (text: string) => void;
}

/** As Go tells it; undefined where there is no Go. */
export async function goVersion(): Promise<string | undefined> {
  const lines: string[] = [];
  const { code, missing } = await runGo(["version"], (line) => lines.push(line));
  if (missing) return undefined;
  if (code !== 0) throw new Error(`go version failed: ${lines.join(" ")}`);
  return lines.join(" ");
}

/** Names what is built of a module: another compiler, module or recipe is another build. */
export function buildKey(go: string, { sum }: GoModule, recipe: readonly unknown[]): string {
  const parts = [sum, go, process.arch, BUILD_FLAGS, GO_ENV, recipe];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex").slice(0, 20);
}

const Download = z.object({ Dir: z.string(), Sum: z.string() });

/**
 * @param folder to run Go in; made when it is missing
 * @returns the module's files, read-only
 * @throws {Error} when it cannot be loaded, or is not the one that is meant
 */
export async function loadModule(module: GoModule, folder: string): Promise<string> {
  const { title, path, version, sum } = module;
  await mkdir(folder, { recursive: true });
  const lines: string[] = [];
  const asked = ["mod", "download", "-json", `${path}@${version}`];
  const { code } = await runGo(asked, (line) => line.startsWith("go: ") || lines.push(line), folder);
  if (code !== 0) {
    throw new Error(`${title}'s Go module could not be loaded (is the network there?):\n${lines.join("\n")}`);
  }
  const { Dir, Sum } = Download.parse(JSON.parse(lines.join("\n")));
  if (Sum !== sum) throw new Error(`${path} ${version} has the checksum ${Sum}, not ${sum}`);
  return Dir;
}

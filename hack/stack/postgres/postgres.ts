/**
 * A real Postgres on this machine, from the binaries that npm brings: its own data folder, a free port of the
 * loopback address, a random password. Commits survive SIGKILL of any process, and not a crash of the machine:
 * nothing is flushed to disk.
 */
import { randomBytes } from "node:crypto";
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { freePort } from "../../processes/free-port.ts";
import { runProgram, spawnPart, type Part } from "../../processes/part.ts";
import type { Reaper } from "../../processes/reaper.ts";
import { findBinaries, type Binaries } from "./binaries.ts";
import { createDatabase } from "./databases.ts";
import { HandedFiles } from "./handed-files.ts";
import { postgresUser, type User } from "./user.ts";

const SUPERUSER = "postgres";
const INITDB_FLAGS =
  "--auth=scram-sha-256 --encoding=UTF8 --locale=C --no-data-checksums --no-sync --no-instructions".split(
    " ",
  );
const READY_SECONDS = 30;
const MAX_PORT_TRIES = 4;

export interface PostgresOptions {
  /** Holds the data folder, the password, the log and the pid file. Made when it is missing. */
  readonly folder: string;
}

export interface Postgres {
  readonly part: Part;
  /** `postgres://` URL of a database, with the superuser's name and password. */
  readonly url: (database: string) => string;
  /** Harmless when it exists. @param template a database that nobody is connected to; its content is copied */
  readonly createDatabase: (name: string, template?: string) => Promise<void>;
}

interface Setting {
  readonly folder: string;
  readonly binaries: Binaries;
  readonly user: User | undefined;
  readonly reaper: Reaper;
}

/** @throws with the end of Postgres's log when it does not start */
export async function startPostgres({ folder }: PostgresOptions, reaper: Reaper): Promise<Postgres> {
  mkdirSync(folder, { recursive: true });
  const user = postgresUser();
  const setting = { folder, binaries: findBinaries(user), user, reaper };
  const password = keptPassword(join(folder, "postgres-password"));
  const data = await ensureData(setting, password);
  const { part, port } = await startOnFreePort(setting, data);
  const url = (database: string): string =>
    `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
  return {
    part,
    url,
    createDatabase: (name, template) => createDatabase(url("postgres"), name, template),
  };
}

/** Made in another place and renamed, so that a folder under the right name is always complete. */
async function ensureData(setting: Setting, password: string): Promise<string> {
  const { binaries, folder, reaper, user } = setting;
  const data = join(folder, `postgres-${binaries.major}`);
  if (existsSync(data)) return data;
  const unfinished = `${data}.new`;
  const passwordFile = join(folder, "initdb-password");
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { mode: 0o700 });
  writeFileSync(passwordFile, password, { mode: 0o600 });
  for (const path of [unfinished, passwordFile]) giveTo(user, path);
  const files = new HandedFiles(user);
  try {
    await runProgram(
      {
        ...programOf(setting, "initdb", files),
        command: binaries.initdb,
        args: [
          `--pgdata=${files.path(unfinished)}`,
          `--pwfile=${files.path(passwordFile)}`,
          `--username=${SUPERUSER}`,
          ...INITDB_FLAGS,
        ],
      },
      reaper,
    );
  } finally {
    files.close();
    rmSync(passwordFile, { force: true });
  }
  renameSync(unfinished, data);
  return data;
}

/** Somebody else may take the port before Postgres does. */
async function startOnFreePort(setting: Setting, data: string): Promise<{ part: Part; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = await freePort();
    try {
      return { part: await startServer(setting, data, port), port };
    } catch (error) {
      const isTaken = error instanceof Error && error.message.includes("Address already in use");
      if (!isTaken || attempt === MAX_PORT_TRIES) throw error;
    }
  }
}

async function startServer(setting: Setting, data: string, port: number): Promise<Part> {
  const files = new HandedFiles(setting.user);
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  try {
    return await spawnPart(
      {
        ...programOf(setting, "postgres", files),
        command: setting.binaries.postgres,
        args: ["-D", files.path(data), "-p", String(port), ...settings],
        pidFolder: setting.folder,
        // SIGTERM would wait for the clients to leave; SIGINT ends their sessions and shuts down in order.
        stopSignal: "SIGINT",
        readiness: { by: "line", read: readyIn, deadlineSeconds: READY_SECONDS },
      },
      setting.reaper,
    );
  } finally {
    files.close();
  }
}

/** Fast, and safe against the death of processes: what is committed is in the kernel's hands. */
const SETTINGS = {
  listen_addresses: "127.0.0.1",
  unix_socket_directories: "",
  fsync: "off",
  full_page_writes: "off",
  synchronous_commit: "on",
  wal_level: "minimal",
  max_wal_senders: "0",
  max_connections: "200",
  shared_buffers: "64MB",
  jit: "off",
  // No helper processes that a small database never needs.
  io_method: "sync",
  max_parallel_workers: "0",
  max_logical_replication_workers: "0",
} as const;

function programOf({ folder, user }: Setting, name: string, { descriptors }: HandedFiles) {
  return {
    name,
    cwd: "/",
    env: { LC_ALL: "C", TZ: "UTC" },
    logFile: join(folder, `${name}.log`),
    descriptors,
    ...(user !== undefined && { user }),
  };
}

function readyIn(line: string): true | undefined {
  return line.includes("database system is ready to accept connections") || undefined;
}

function giveTo(user: User | undefined, path: string): void {
  if (user !== undefined) chownSync(path, user.uid, user.gid);
}

function keptPassword(file: string): string {
  if (!existsSync(file)) writeFileSync(file, randomBytes(18).toString("base64url"), { mode: 0o600 });
  return readFileSync(file, "utf8");
}

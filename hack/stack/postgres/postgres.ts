/**
 * A real Postgres on this machine, from the binaries that npm brings: its own data folder, a free port of the
 * loopback address, a random password. Commits survive SIGKILL of any process, and not a crash of the machine:
 * nothing is flushed to disk.
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { cacheDir } from "../../cache/cache-dir.ts";
import { freePort } from "../../processes/free-port.ts";
import { spawnPart, type Part } from "../../processes/part.ts";
import type { Reaper } from "../../processes/reaper.ts";
import { findBinaries, type Binaries } from "./binaries.ts";
import { ensureDataFolder, SUPERUSER } from "./data-folder.ts";
import { createDatabase } from "./databases.ts";
import { HandedFiles } from "./handed-files.ts";
import { postgresUser, type User } from "./user.ts";

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
  const binaries = findBinaries(user);
  const place = { folder, cacheDir: cacheDir(process.env), binaries, user };
  const { data, password } = await ensureDataFolder(place, reaper);
  const { part, port } = await startOnFreePort({ folder, binaries, user, reaper }, data);
  const url = (database: string): string =>
    `postgres://${SUPERUSER}:${password}@127.0.0.1:${port}/${database}`;
  return {
    part,
    url,
    createDatabase: (name, template) => createDatabase(url("postgres"), name, template),
  };
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

async function startServer(
  { binaries, folder, reaper, user }: Setting,
  data: string,
  port: number,
): Promise<Part> {
  const files = new HandedFiles(user);
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => ["-c", `${name}=${value}`]);
  try {
    return await spawnPart(
      {
        name: "postgres",
        command: binaries.postgres,
        args: ["-D", files.path(data), "-p", String(port), ...settings],
        cwd: "/",
        env: { LC_ALL: "C", TZ: "UTC" },
        logFile: join(folder, "postgres.log"),
        pidFolder: folder,
        // SIGTERM would wait for the clients to leave; SIGINT ends their sessions and shuts down in order.
        stopSignal: "SIGINT",
        readiness: { by: "line", read: readyIn, deadlineSeconds: READY_SECONDS },
        descriptors: files.descriptors,
        ...(user !== undefined && { user }),
      },
      reaper,
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

function readyIn(line: string): true | undefined {
  return line.includes("database system is ready to accept connections") || undefined;
}

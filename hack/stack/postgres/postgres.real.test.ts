import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { nodeProgram } from "../../processes/node-program.ts";
import { runProgram } from "../../processes/part.ts";
import { startReaper, type Reaper } from "../../processes/reaper.ts";
import { findBinaries, reachableFolder } from "./binaries.ts";
import { createTemplateDatabase } from "./databases.ts";
import { startPostgres, type Postgres } from "./postgres.ts";
import { postgresUser } from "./user.ts";

let reaper: Reaper;
/** Has mode 0700: whoever runs Postgres may not be able to pass through it. */
let folder: string;
let server: Postgres;
beforeAll(async () => {
  reaper = startReaper({ env: process.env });
  folder = realpathSync(mkdtempSync(join(tmpdir(), "opal-postgres-test-")));
  server = await startPostgres({ folder: join(folder, "main") }, reaper);
});
afterAll(async () => {
  await reaper.close();
  rmSync(folder, { recursive: true, force: true });
});

async function ask(url: string, query: string): Promise<unknown> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    const [row] = await sql.unsafe(query).values();
    return row?.[0];
  } finally {
    await sql.end();
  }
}

describe("a Postgres", () => {
  test("answers on the loopback address, and only with its password", async () => {
    expect(await ask(server.url("postgres"), "show server_encoding")).toBe("UTF8");
    const stranger = new URL(server.url("postgres"));
    stranger.password = "guessed";
    await expect(ask(stranger.href, "select 1")).rejects.toThrow("password authentication failed");
  });

  test("makes a database, twice as well as once", async () => {
    for (let times = 1; times <= 2; times += 1) await server.createDatabase("shop");
    expect(await ask(server.url("shop"), "select current_database()")).toBe("shop");
  });

  test("keeps what was committed when it is killed", async () => {
    const place = { folder: join(folder, "killed") };
    const first = await startPostgres(place, reaper);
    await ask(first.url("postgres"), "create table kept as select 7 as number");
    await first.part.kill();
    const second = await startPostgres(place, reaper);
    expect(await ask(second.url("postgres"), "select number from kept")).toBe(7);
    await second.part.stop();
  });

  test("stops the server that an earlier life left running in its folder", async () => {
    const place = { folder: join(folder, "left") };
    const first = await startPostgres(place, reaper);
    const second = await startPostgres(place, reaper);
    expect(await first.part.exited).toEqual({ code: 0, signal: null });
    expect(await ask(second.url("postgres"), "select 1")).toBe(1);
    await second.part.stop();
  });

  test("shuts down at once although somebody is connected", async () => {
    const lone = await startPostgres({ folder: join(folder, "busy") }, reaper);
    const sql = postgres(lone.url("postgres"), { max: 1, onclose: () => {} });
    await sql`select 1`;
    const started = performance.now();
    expect(await lone.part.stop()).toEqual({ code: 0, signal: null });
    expect(performance.now() - started).toBeLessThan(3_000);
    await sql.end();
  });

  test("says what is wrong when it cannot start", async () => {
    const place = { folder: join(folder, "broken") };
    await (await startPostgres(place, reaper)).part.stop();
    rmSync(join(place.folder, `postgres-${findBinaries(postgresUser()).major}`, "postgresql.conf"));
    await expect(startPostgres(place, reaper)).rejects.toThrow(
      /^postgres ended with exit code 2\npostgres: could not access the server configuration file/,
    );
  });
});

describe("a template database", () => {
  test("is copied with its content, several times at once; copies are independent and can be dropped", async () => {
    const template = await createTemplateDatabase(server, async (url) => {
      await ask(url, "create table items as select generate_series(1, 10) as id");
    });
    const clones = await Promise.all(Array.from({ length: 4 }, () => template.clone()));
    const [first, second] = clones;
    if (first === undefined || second === undefined) throw new Error("four were made");
    await ask(first.url, "delete from items");
    expect(await ask(first.url, "select count(*)::int from items")).toBe(0);
    expect(await ask(second.url, "select count(*)::int from items")).toBe(10);
    const leak = postgres(first.url, { max: 1, onclose: () => {} });
    await leak`select 1`;
    for (const clone of clones) await clone.drop();
    await expect(ask(first.url, "select 1")).rejects.toThrow("does not exist");
    await leak.end();
  });
});

const isRoot = process.getuid?.() === 0;

describe.runIf(isRoot)("as root", () => {
  const nobody = { uid: 65_534, gid: 65_534 };

  test("its programs are copied out of a folder that its user cannot reach", async () => {
    const { postgres: installed } = findBinaries(nobody);
    const locked = join(folder, "locked");
    mkdirSync(join(locked, "bin"), { recursive: true });
    chmodSync(locked, 0o700);
    writeFileSync(join(locked, "bin", "program"), `#!/bin/sh\necho from the copy\n`, { mode: 0o755 });
    expect(reachableFolder(installed, nobody, join(folder, "unused"))).toBe(installed);
    const shared = mkdtempSync(join(tmpdir(), "opal-shared-"));
    chmodSync(shared, 0o711);
    try {
      const copy = reachableFolder(locked, nobody, join(shared, "copy"));
      expect(copy).toBe(join(shared, "copy"));
      expect(reachableFolder(locked, nobody, join(shared, "copy"))).toBe(copy);
      await runProgram(
        {
          name: "copied",
          command: join(copy, "bin", "program"),
          args: [],
          env: { PATH: process.env["PATH"] },
          cwd: "/",
          logFile: join(folder, "copied.log"),
          user: nobody,
        },
        reaper,
      );
    } finally {
      rmSync(shared, { recursive: true });
    }
  });

  test("and as anybody else it works the same", async () => {
    const home = mkdtempSync(join(tmpdir(), "opal-nobody-"));
    chmodSync(home, 0o777);
    try {
      const program = nodeProgram(new URL("fixture-start-and-stop.ts", import.meta.url), [home]);
      await runProgram(
        {
          name: "nobody",
          ...program,
          env: { PATH: process.env["PATH"], HOME: home, TMPDIR: home },
          cwd: "/",
          logFile: join(folder, "nobody.log"),
          user: nobody,
        },
        reaper,
      );
      expect(statSync(join(home, "postgres.log")).uid).toBe(nobody.uid);
    } finally {
      rmSync(home, { recursive: true });
    }
  });
});

/**
 * Ordered, forward-only migrations: every file of migrations/ once, each in its own transaction, under an
 * advisory lock, so that any number of starting replicas apply them once. An applied file must not change.
 */
import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import type { Sql, Transaction } from "./database.ts";

/** Any constant does; it only has to be the same in every replica. */
const LOCK = 7_303_014;

interface Migration {
  readonly name: string;
  readonly sha256: string;
  readonly text: string;
}

async function readMigrations(): Promise<Migration[]> {
  const folder = new URL("migrations/", import.meta.url);
  const names = (await readdir(folder)).filter((name) => name.endsWith(".sql")).sort();
  return Promise.all(
    names.map(async (name) => {
      const text = await readFile(new URL(name, folder), "utf8");
      return { name, text, sha256: createHash("sha256").update(text).digest("hex") };
    }),
  );
}

/**
 * Brings the schema `opal` up to date and returns the names of the migrations that this call applied.
 * @throws when an applied migration has changed since, or one fails (its transaction is rolled back).
 */
export async function migrate(sql: Sql): Promise<string[]> {
  const migrations = await readMigrations();
  const applied: string[] = [];
  for (const migration of migrations) {
    if (await sql.begin((tx) => apply(tx, migration))) applied.push(migration.name);
  }
  return applied;
}

async function apply(tx: Transaction, migration: Migration): Promise<boolean> {
  // Another replica may be at a long migration: wait for it.
  await tx`set local lock_timeout = 0`;
  await tx`set local statement_timeout = 0`;
  await tx`select pg_advisory_xact_lock(${LOCK})`;
  await tx`create schema if not exists opal`;
  await tx`create table if not exists opal.migrations (
    name text primary key, sha256 text not null, applied_at timestamptz not null default now())`;
  const [known] = await tx<{ sha256: string }[]>`
    select sha256 from opal.migrations where name = ${migration.name}`;
  if (known) {
    if (known.sha256 === migration.sha256) return false;
    throw new Error(`migration ${migration.name} has changed since it was applied: write a new one instead`);
  }
  await tx.unsafe(migration.text);
  await tx`insert into opal.migrations (name, sha256) values (${migration.name}, ${migration.sha256})`;
  return true;
}

/** True when every migration of this build is applied: what a role needs before it starts its work. */
export async function isMigrated(sql: Sql): Promise<boolean> {
  const names = (await readMigrations()).map(({ name }) => name);
  const [schema] = await sql<{ present: boolean }[]>`
    select to_regclass('opal.migrations') is not null as present`;
  if (!schema?.present) return false;
  const [row] = await sql<{ applied: number }[]>`
    select count(*)::int as applied from opal.migrations where name = any(${names})`;
  return row?.applied === names.length;
}

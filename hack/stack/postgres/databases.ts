import { randomUUID } from "node:crypto";
import postgres from "postgres";
import type { Postgres } from "./postgres.ts";

const DUPLICATE_DATABASE = "42P04";

/** @param adminUrl of a database to be connected to meanwhile. Harmless when the database exists. */
export async function createDatabase(adminUrl: string, name: string, template?: string): Promise<void> {
  await withConnection(adminUrl, async (sql) => {
    const from = template === undefined ? sql`` : sql`template ${sql(template)}`;
    try {
      await sql`create database ${sql(name)} ${from}`;
    } catch (error) {
      if (!(error instanceof postgres.PostgresError) || error.code !== DUPLICATE_DATABASE) throw error;
    }
  });
}

/** A database to be copied: one for a whole test run, a copy for every test file. */
export interface TemplateDatabase {
  readonly name: string;
  /** Copies it. @throws when somebody is connected to the template */
  clone(): Promise<ClonedDatabase>;
}

interface ClonedDatabase {
  readonly url: string;
  /** Ends all connections to it and removes it. */
  drop(): Promise<void>;
}

/** @param prepare fills the template, and has closed its connections when it resolves */
export async function createTemplateDatabase(
  server: Postgres,
  prepare: (url: string) => Promise<void>,
): Promise<TemplateDatabase> {
  const name = uniqueName("template");
  await server.createDatabase(name);
  await prepare(server.url(name));
  return {
    name,
    async clone() {
      const copy = uniqueName("clone");
      await server.createDatabase(copy, name);
      return { url: server.url(copy), drop: () => dropDatabase(server.url("postgres"), copy) };
    },
  };
}

async function dropDatabase(adminUrl: string, name: string): Promise<void> {
  await withConnection(adminUrl, async (sql) => {
    await sql`drop database if exists ${sql(name)} with (force)`;
  });
}

function uniqueName(kind: string): string {
  return `${kind}_${randomUUID().replaceAll("-", "")}`;
}

async function withConnection(url: string, work: (sql: postgres.Sql) => Promise<void>): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    await work(sql);
  } finally {
    await sql.end();
  }
}

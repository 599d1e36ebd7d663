/** What every role is given to start with, and the small server that tells how it fares. */
import { serve } from "@hono/node-server";
import type { Hono } from "hono";
import type { Logger } from "pino";
import type { Registry } from "prom-client";
import type { Sql } from "../store/database.ts";
import { isMigrated } from "../store/migrate.ts";

export interface RoleContext {
  readonly log: Logger;
  readonly registry: Registry;
  /** Whatever the role opens, it registers here; closed in reverse order. */
  readonly closing: AsyncDisposableStack;
  readonly readFile: (path: string) => Promise<string>;
  readonly now: () => Date;
  /** Of the interval [0, 1). */
  readonly random: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

export async function readSecret(path: string, { readFile }: RoleContext): Promise<string> {
  return (await readFile(path)).trim();
}

/** Listens and resolves with the port. Open requests are finished at close. */
export async function listen(
  app: Pick<Hono, "fetch">,
  port: number,
  { closing }: RoleContext,
): Promise<number> {
  const listening = Promise.withResolvers<number>();
  const server = serve({ fetch: app.fetch, port }, (address) => listening.resolve(address.port));
  server.once("error", listening.reject);
  const bound = await listening.promise;
  closing.defer(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        if ("closeIdleConnections" in server) server.closeIdleConnections();
      }),
  );
  return bound;
}

export async function assertReachable(sql: Sql): Promise<void> {
  await sql`select 1`;
}

const SCHEMA_DEADLINE_MS = 120_000;
const SCHEMA_PAUSE_MS = 250;

/**
 * `serve` makes the schema; the others wait for it, as all start together.
 * @throws when it is not there in time.
 */
export async function waitForSchema(sql: Sql, log: Logger): Promise<void> {
  const deadline = performance.now() + SCHEMA_DEADLINE_MS;
  let told = false;
  while (!(await isMigrated(sql))) {
    if (performance.now() > deadline) {
      throw new Error("the database has not got this version's schema: has `serve` or `migrate` run?");
    }
    if (!told) log.info("waiting for the schema");
    told = true;
    await new Promise((resolve) => setTimeout(resolve, SCHEMA_PAUSE_MS));
  }
}

/** The pool of Postgres connections, and how a value gets into a jsonb column. */
import postgres from "postgres";

export type Sql = postgres.Sql;
export type Transaction = postgres.TransactionSql;

export interface DatabaseSettings {
  readonly url: string;
  readonly maxConnections: number;
  /** Shown in pg_stat_activity. */
  readonly applicationName: string;
}

export function openDatabase({ url, maxConnections, applicationName }: DatabaseSettings): Sql {
  return postgres(url, {
    max: maxConnections,
    idle_timeout: 60,
    connect_timeout: 10,
    max_lifetime: 30 * 60,
    onnotice: () => undefined,
    connection: {
      application_name: applicationName,
      statement_timeout: 30_000,
      lock_timeout: 15_000,
      idle_in_transaction_session_timeout: 60_000,
    },
  });
}

/** The driver would encode a string cast to jsonb twice; this is the one right way. */
export function jsonb(sql: Sql | Transaction, value: object) {
  return sql.json(value as postgres.JSONValue);
}

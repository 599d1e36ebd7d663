import { readFile } from "node:fs/promises";
import postgres from "postgres";
import type { ExportStore } from "./export-task.ts";

/** Marks items through the api's functions: the export worker sees no table. */
export function createExportStore(sql: postgres.Sql): ExportStore {
  return {
    async exported({ tenant, job, item }, exports) {
      const [row] = await sql<{ marked: boolean }[]>`
        select opal.item_exported(${tenant}, ${job}, ${item}, ${JSON.stringify(exports)}::text::jsonb) as marked`;
      return row?.marked ?? false;
    },
    async failed({ tenant, job, item }, failure) {
      const [row] = await sql<{ marked: boolean }[]>`
        select opal.item_export_failed(${tenant}, ${job}, ${item}, ${failure.class}, ${failure.message}) as marked`;
      return row?.marked ?? false;
    },
  };
}

/** Connections are made at the first statement. @throws {Error} when the file cannot be read. */
export async function connectDatabase(urlFile: string, connections: number): Promise<postgres.Sql> {
  const url = (await readFile(urlFile, "utf8")).trim();
  return postgres(url, { max: connections, connect_timeout: 10, onnotice: () => undefined });
}

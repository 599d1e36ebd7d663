import type { Config } from "../config.ts";
import { migrate } from "../store/migrate.ts";
import { connectDatabase } from "./connect-database.ts";
import type { RoleContext } from "./role.ts";

/** Brings the schema up to date, for deployments that do it ahead of `serve`. */
export async function runMigrate(config: Config<"migrate">, context: RoleContext): Promise<undefined> {
  const sql = await connectDatabase(config, "migrate", context);
  context.log.info({ applied: await migrate(sql) }, "migrated");
  return undefined;
}

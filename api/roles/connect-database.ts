import { type Sql, openDatabase } from "../store/database.ts";
import { type RoleContext, readSecret } from "./role.ts";

interface DatabaseAccess {
  readonly OPAL_DATABASE_URL_FILE: string;
  readonly OPAL_DATABASE_CONNECTIONS: number;
}

export async function connectDatabase(
  config: DatabaseAccess,
  role: string,
  context: RoleContext,
): Promise<Sql> {
  const sql = openDatabase({
    url: await readSecret(config.OPAL_DATABASE_URL_FILE, context),
    maxConnections: config.OPAL_DATABASE_CONNECTIONS,
    applicationName: `opal-${role}`,
  });
  context.closing.defer(() => sql.end({ timeout: 5 }));
  return sql;
}

import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { migrate } from "../../api/store/migrate.ts";
import type { Stack } from "../stack/stack.ts";

const DATABASE = "opal";
const EXPORT_USER = "opal_export_worker";

/** Schema, a login for the export worker that may do nothing but finish items. */
export async function prepareDatabase(stack: Stack) {
  await stack.postgres.createDatabase(DATABASE);
  const apiUrl = stack.postgres.url(DATABASE);
  const sql = postgres(apiUrl, { max: 1, onnotice: () => {} });
  try {
    await migrate(sql);
    const password = randomBytes(18).toString("base64url");
    await sql.unsafe(`drop role if exists ${EXPORT_USER}`);
    await sql.unsafe(`create role ${EXPORT_USER} login password '${password}' in role opal_export`);
    const exportUrl = new URL(apiUrl);
    exportUrl.username = EXPORT_USER;
    exportUrl.password = password;
    return { apiUrl, exportUrl: exportUrl.href };
  } finally {
    await sql.end();
  }
}

import { randomBytes } from "node:crypto";
import postgres from "postgres";
import { migrate } from "../../api/store/migrate.ts";
import type { Stack } from "../stack/stack.ts";

const DATABASE = "opal";
const EXPORT_USER = "opal_export_worker";

/** The brand profiles of a new tenant: one per placement that needs no model of its own. */
const PROFILES = [
  { id: "studio", placement_style: "studio", background: "#e9e2d8" },
  { id: "color", placement_style: "color", background: "#f2f0ec" },
  { id: "transparent", placement_style: "transparent", background: null },
] as const;

/** Schema, a login for the export worker that may do nothing but finish items, and the tenants' brand profiles. */
export async function prepareDatabase(stack: Stack, tenants: readonly string[]) {
  await stack.postgres.createDatabase(DATABASE);
  const apiUrl = stack.postgres.url(DATABASE);
  const sql = postgres(apiUrl, { max: 1, onnotice: () => {} });
  try {
    await migrate(sql);
    const password = randomBytes(18).toString("base64url");
    await sql.unsafe(`drop role if exists ${EXPORT_USER}`);
    await sql.unsafe(`create role ${EXPORT_USER} login password '${password}' in role opal_export`);
    for (const tenant of tenants) {
      const rows = PROFILES.map((profile) => ({ tenant_id: tenant, ...profile }));
      await sql`insert into opal.brand_profiles ${sql(rows)} on conflict do nothing`;
    }
    const exportUrl = new URL(apiUrl);
    exportUrl.username = EXPORT_USER;
    exportUrl.password = password;
    return { apiUrl, exportUrl: exportUrl.href };
  } finally {
    await sql.end();
  }
}

import type { BrandProfile } from "../brand.ts";
import type { Sql } from "./database.ts";

export async function findBrandProfile(
  sql: Sql,
  tenantId: string,
  id: string,
): Promise<BrandProfile | undefined> {
  const [row] = await sql<BrandProfile[]>`
    select tenant_id as "tenantId", id, placement_style as "placementStyle", style, sd_prompts as "sdPrompts", background, palette,
           layout, look, upscale, exports
      from opal.brand_profiles where tenant_id = ${tenantId} and id = ${id}`;
  return row;
}

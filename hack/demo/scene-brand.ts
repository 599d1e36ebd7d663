import postgres from "postgres";
import type { Stack } from "../stack/stack.ts";

export interface SceneBrand {
  readonly tenant: string;
  readonly profileId: string;
  readonly prompt: string;
  readonly negativePrompt?: string | undefined;
  readonly seed: number;
}

/** Gives a tenant the brand profile of a generated scene, as its own row: there is none of these built in. */
export async function putSceneBrand(stack: Stack, brand: SceneBrand): Promise<void> {
  const { tenant, profileId, prompt, negativePrompt, seed } = brand;
  const sql = postgres(stack.postgres.url("opal"), { max: 1, onnotice: () => {} });
  const prompts = { prompt, seed, ...(negativePrompt !== undefined && { negative_prompt: negativePrompt }) };
  try {
    await sql`
      insert into opal.brand_profiles (tenant_id, id, placement_style, sd_prompts)
      values (${tenant}, ${profileId}, 'generated', ${sql.json(prompts)})`;
  } finally {
    await sql.end();
  }
}

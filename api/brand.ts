/**
 * From a tenant's brand profile to the resolved `spec.brand` of an OpalJob. Pure. The snapshot is taken when
 * the job is accepted, so later edits of the profile do not reach it.
 */
import * as z from "zod";
import { Brand, type PLACEMENTS } from "#crds/opaljob.ts";

type Placement = (typeof PLACEMENTS)[number];

/** A row of `brand_profiles`. */
export interface BrandProfile {
  readonly id: string;
  readonly placementStyle: string;
  /** Name of a set or preset within the placement. */
  readonly style: string | null;
  /** `{prompt, negative_prompt, seed}`, each optional. */
  readonly sdPrompts: unknown;
  readonly background: string | null;
  readonly palette: readonly string[];
  readonly layout: unknown;
  readonly upscale: number;
  readonly exports: readonly string[];
}

const SdPrompts = z.object({
  prompt: z.string().optional(),
  negative_prompt: z.string().optional(),
  seed: z.number().int().optional(),
});

const WHITE = "#ffffff";

/** Profiles that every tenant has without a row of its own; a row of the same id goes before them. */
const BUILT_IN: Readonly<Record<string, Partial<Brand> & { placement: Placement }>> = {
  studio: { placement: "studio" },
  color: { placement: "color", background: WHITE },
  transparent: { placement: "transparent" },
};

export function builtInBrand(profileId: string): Brand | undefined {
  const profile = Object.hasOwn(BUILT_IN, profileId) ? BUILT_IN[profileId] : undefined;
  return profile && Brand.parse(profile);
}

export type ResolvedBrand = { readonly brand: Brand } | { readonly problem: string };

/** The snapshot of a profile, or what its owner must mend. */
export function resolveBrand(profile: BrandProfile): ResolvedBrand {
  const prompts = SdPrompts.safeParse(profile.sdPrompts ?? {});
  if (!prompts.success) return { problem: `sd_prompts.${firstIssue(prompts.error)}` };
  const { prompt, negative_prompt: negativePrompt, seed } = prompts.data;
  const brand = Brand.safeParse({
    placement: profile.placementStyle,
    style: profile.style ?? undefined,
    // An emptied form field means "none".
    prompt: prompt || undefined,
    negativePrompt: negativePrompt || undefined,
    seed,
    background: backgroundOf(profile),
    palette: profile.palette,
    layout: profile.layout ?? undefined,
    upscale: profile.upscale,
    exports: profile.exports,
  });
  if (!brand.success) return { problem: firstIssue(brand.error) };
  if (brand.data.placement === "generated" && brand.data.prompt === undefined) {
    return { problem: "placement_style generated needs sd_prompts.prompt" };
  }
  return { brand: withoutUndefined(brand.data) };
}

function backgroundOf({ background, palette, placementStyle }: BrandProfile): string | undefined {
  const fallback = placementStyle === "color" ? WHITE : undefined;
  return background ?? palette[0] ?? fallback;
}

/** The snapshot is stored as JSON, where an undefined field does not exist. */
function withoutUndefined(brand: Brand): Brand {
  return Object.fromEntries(Object.entries(brand).filter(([, value]) => value !== undefined)) as Brand;
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  return issue ? `${issue.path.join(".")}: ${issue.message}` : error.message;
}

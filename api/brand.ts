/**
 * From a tenant's brand profile to the resolved `spec.brand` of an OpalJob. Pure. The snapshot is taken when
 * the job is accepted, so later edits of the profile do not reach it.
 */
import * as z from "zod";
import { Brand, Gradient, isSetName, type PLACEMENTS, SET_NAMES, Shadow } from "#crds/brand.ts";

type Placement = (typeof PLACEMENTS)[number];

/** A row of `brand_profiles`. */
export interface BrandProfile {
  readonly tenantId: string;
  readonly id: string;
  readonly placementStyle: string;
  /** Name of a set or preset within the placement. */
  readonly style: string | null;
  /** `{prompt, negative_prompt, seed}`, each optional. */
  readonly sdPrompts: unknown;
  readonly background: string | null;
  readonly palette: readonly string[];
  readonly layout: unknown;
  /** See `Look`. */
  readonly look: unknown;
  readonly upscale: number;
  readonly exports: readonly string[];
}

const SdPrompts = z.object({
  prompt: z.string().optional(),
  negative_prompt: z.string().optional(),
  seed: z.number().int().optional(),
});

const { image, harmonisePercent, minScore, exportFormat, exportQuality } = Brand.shape;

/** What a profile says beyond its columns. Misspelt names are refused: they would change nothing, silently. */
const Look = z.strictObject({
  shadow: Shadow.strict().optional(),
  gradient: Gradient.strict().optional(),
  image,
  harmonise_percent: harmonisePercent,
  min_score: minScore,
  export_format: exportFormat,
  export_quality: exportQuality,
});
type Look = z.infer<typeof Look>;

const WHITE = "#ffffff";

/** Profiles that every tenant has without a row of its own; a row of the same id goes before them. */
const BUILT_IN: Readonly<Record<string, Partial<Brand> & { placement: Placement }>> = {
  studio: { placement: "studio" },
  color: { placement: "color", background: WHITE },
  gradient: {
    placement: "gradient",
    background: WHITE,
    gradient: Gradient.parse({ to: "#d9dde2", kind: "radial" }),
  },
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
  const look = Look.safeParse(profile.look ?? {});
  if (!look.success) return { problem: `look.${firstIssue(look.error)}` };
  const brand = Brand.safeParse({ ...columnsOf(profile, prompts.data), ...fieldsOf(look.data) });
  if (!brand.success) return { problem: firstIssue(brand.error) };
  const problem = problemOf(brand.data, profile.tenantId);
  return problem === undefined ? { brand: withoutUndefined(brand.data) } : { problem };
}

function columnsOf(
  profile: BrandProfile,
  { prompt, negative_prompt: negativePrompt, seed }: z.infer<typeof SdPrompts>,
) {
  return {
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
  };
}

function fieldsOf({ harmonise_percent, min_score, export_format, export_quality, ...same }: Look) {
  return {
    ...same,
    harmonisePercent: harmonise_percent,
    minScore: min_score,
    exportFormat: export_format,
    exportQuality: export_quality,
  };
}

/** What a placement needs, and what a tenant may name. */
function problemOf(brand: Brand, tenantId: string): string | undefined {
  const needs = (field: string) => `placement_style ${brand.placement} needs ${field}`;
  if (brand.placement === "generated" && brand.prompt === undefined) return needs("sd_prompts.prompt");
  if (brand.placement === "gradient" && brand.gradient === undefined) return needs("look.gradient");
  if (brand.placement === "image" && brand.image === undefined) return needs("look.image");
  if (brand.image !== undefined && !isOwnBlob(brand.image, tenantId)) {
    return `look.image: must be a picture of your own, raw/${tenantId}/… or outputs/${tenantId}/…`;
  }
  return setProblem(brand);
}

function setProblem({ placement, style }: Brand): string | undefined {
  if (placement !== "studio" || style === undefined || isSetName(style)) return undefined;
  return `style: there is no set "${style}", only ${SET_NAMES.join(", ")}`;
}

/** By its parts: "raw/me/../you/x.jpg" is another tenant's once a client has tidied the path. */
function isOwnBlob(ref: string, tenantId: string): boolean {
  const [, owner, ...path] = ref.split("/");
  const isPlain = path.every((part) => /^[A-Za-z0-9._-]+$/.test(part) && !/^\.+$/.test(part));
  return owner === tenantId && path.length > 0 && isPlain;
}

function backgroundOf({ background, palette, placementStyle }: BrandProfile): string | undefined {
  const fallback = placementStyle === "color" || placementStyle === "gradient" ? WHITE : undefined;
  return background ?? palette[0] ?? fallback;
}

/** The snapshot is stored as JSON, where an undefined field does not exist. */
function withoutUndefined(brand: Brand): Brand {
  return Object.fromEntries(Object.entries(brand).filter(([, value]) => value !== undefined)) as Brand;
}

function firstIssue(error: z.ZodError): string {
  const [issue] = error.issues;
  if (!issue) return error.message;
  return issue.path.length === 0 ? issue.message : `${issue.path.join(".")}: ${issue.message}`;
}

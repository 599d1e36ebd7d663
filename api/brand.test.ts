import { describe, expect, test } from "vitest";
import { Brand } from "#crds/brand.ts";
import { type BrandProfile, builtInBrand, resolveBrand } from "./brand.ts";

const aProfile = (more: Partial<BrandProfile> = {}): BrandProfile => ({
  tenantId: "acme",
  id: "spring",
  placementStyle: "studio",
  style: null,
  sdPrompts: {},
  background: null,
  palette: [],
  layout: null,
  look: {},
  upscale: 2,
  exports: ["1:1", "4:3", "9:16"],
  ...more,
});

describe("a brand profile becomes a snapshot", () => {
  const cases: readonly { name: string; profile: Partial<BrandProfile>; want: object }[] = [
    {
      name: "an empty one, with the contract's defaults",
      profile: {},
      want: Brand.parse({ placement: "studio" }),
    },
    {
      name: "with prompts",
      profile: {
        placementStyle: "generated",
        sdPrompts: { prompt: "oak", negative_prompt: "text", seed: 3 },
      },
      want: Brand.parse({ placement: "generated", prompt: "oak", negativePrompt: "text", seed: 3 }),
    },
    {
      name: "a plain colour, from the palette's first",
      profile: { placementStyle: "color", palette: ["#112233", "#445566"] },
      want: { placement: "color", background: "#112233" },
    },
    {
      name: "a plain colour, white when there is no palette",
      profile: { placementStyle: "color" },
      want: { placement: "color", background: "#ffffff" },
    },
    {
      name: "a stated background before the palette",
      profile: { background: "#000000", palette: ["#112233"] },
      want: { background: "#000000", palette: ["#112233"] },
    },
    {
      name: "with a layout, filled up",
      profile: { layout: { anchor: "bottom" } },
      want: { layout: { anchor: "bottom", fillPercent: 80, marginPercent: 6 } },
    },
    {
      name: "with the layout's newer fields",
      profile: { layout: { groundLinePercent: 80, snapToEdges: false } },
      want: { layout: { groundLinePercent: 80, snapToEdges: false, anchor: "centre" } },
    },
    {
      name: "with a look, filled up",
      profile: {
        look: {
          shadow: { parts: ["contact"], intensity: 30 },
          harmonise_percent: 40,
          min_score: 70,
          export_format: "webp",
          export_quality: 80,
        },
      },
      want: {
        shadow: { parts: ["contact"], intensity: 30, softness: 50, pose: "auto" },
        harmonisePercent: 40,
        minScore: 70,
        exportFormat: "webp",
        exportQuality: 80,
      },
    },
    {
      name: "a gradient, from white when no colour is named",
      profile: { placementStyle: "gradient", look: { gradient: { to: "#ccd0d4" } } },
      want: { background: "#ffffff", gradient: { to: "#ccd0d4", kind: "linear", angleDegrees: 90 } },
    },
    {
      name: "before a picture of the tenant's own",
      profile: { placementStyle: "image", look: { image: "raw/acme/job-1/item-1/loft.jpg" } },
      want: { placement: "image", image: "raw/acme/job-1/item-1/loft.jpg" },
    },
    { name: "with an emptied prompt", profile: { sdPrompts: { prompt: "" } }, want: { placement: "studio" } },
  ];
  test.each(cases)("$name", ({ profile, want }) => {
    const resolved = resolveBrand(aProfile(profile));
    expect(resolved).toMatchObject({ brand: want });
    expect("brand" in resolved && JSON.parse(JSON.stringify(resolved.brand))).toEqual(
      "brand" in resolved && resolved.brand,
    );
  });
});

describe("a brand profile that cannot be used says why", () => {
  const cases: readonly { name: string; profile: Partial<BrandProfile>; why: RegExp }[] = [
    { name: "no prompt", profile: { placementStyle: "generated" }, why: /sd_prompts\.prompt/ },
    { name: "a wrong seed", profile: { sdPrompts: { seed: 1.5 } }, why: /sd_prompts\.seed/ },
    { name: "prompts that are a list", profile: { sdPrompts: [] }, why: /sd_prompts/ },
    { name: "an unknown export", profile: { exports: ["2:1"] }, why: /exports/ },
    { name: "a colour that is none", profile: { palette: ["red"] }, why: /palette|background/ },
    { name: "no gradient", profile: { placementStyle: "gradient" }, why: /needs look\.gradient/ },
    { name: "no image", profile: { placementStyle: "image" }, why: /needs look\.image/ },
    { name: "a misspelt look", profile: { look: { shadows: {} } }, why: /look\..*shadows/ },
    { name: "a misspelt shadow", profile: { look: { shadow: { depth: 3 } } }, why: /look\.shadow.*depth/ },
    { name: "a look that is a list", profile: { look: [] }, why: /look/ },
    { name: "a quality of 101", profile: { look: { export_quality: 101 } }, why: /look\.export_quality/ },
    ...[
      "raw/bolt/job-1/item-1/loft.jpg",
      "raw/acme/../bolt/loft.jpg",
      "raw/acme/./../bolt/loft.jpg",
      "raw/acme/%2e%2e/bolt/loft.jpg",
      "raw/acme-2/job/loft.jpg",
      "raw/acme//loft.jpg",
      "outputs/acme",
    ].map((image) => ({ name: `the image ${image}`, profile: { look: { image } }, why: /look\.image/ })),
    {
      name: "an image of a foreign container",
      profile: { look: { image: "exports/acme/x" } },
      why: /look\.image/,
    },
    { name: "a misspelt set", profile: { style: "marbel" }, why: /style: there is no set "marbel".*marble/ },
    { name: "an unknown anchor", profile: { layout: { anchor: "left-ish" } }, why: /layout\.anchor/ },
  ];
  test.each(cases)("$name", ({ profile, why }) => {
    const resolved = resolveBrand(aProfile(profile));
    expect("problem" in resolved && resolved.problem).toMatch(why);
  });
});

describe("built-in profiles", () => {
  test.each(["studio", "color", "gradient", "transparent"])("%s", (id) => {
    expect(builtInBrand(id)?.placement).toBe(id);
  });
  test.each(["generated", "toString", "__proto__", ""])("not %s", (id) => {
    expect(builtInBrand(id)).toBeUndefined();
  });
});

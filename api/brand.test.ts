import { describe, expect, test } from "vitest";
import { Brand } from "#crds/opaljob.ts";
import { type BrandProfile, builtInBrand, resolveBrand } from "./brand.ts";

const aProfile = (more: Partial<BrandProfile> = {}): BrandProfile => ({
  id: "spring",
  placementStyle: "studio",
  style: null,
  sdPrompts: {},
  background: null,
  palette: [],
  layout: null,
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
    { name: "an unknown anchor", profile: { layout: { anchor: "left-ish" } }, why: /layout\.anchor/ },
  ];
  test.each(cases)("$name", ({ profile, why }) => {
    const resolved = resolveBrand(aProfile(profile));
    expect("problem" in resolved && resolved.problem).toMatch(why);
  });
});

describe("built-in profiles", () => {
  test.each(["studio", "color", "transparent"])("%s", (id) => {
    expect(builtInBrand(id)?.placement).toBe(id);
  });
  test.each(["generated", "toString", "__proto__", ""])("not %s", (id) => {
    expect(builtInBrand(id)).toBeUndefined();
  });
});

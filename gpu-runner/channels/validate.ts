/** Whether a written file keeps the rules, rule by rule, with the numbers. Pure. */
import { boxWhere } from "../pipeline/box.ts";
import type { Cut } from "../pipeline/crop.ts";
import type { Covered, Size } from "../pipeline/layout.ts";
import type { Alpha } from "../pipeline/raster.ts";
import { type DigitalSourceType, sourceTypeUri } from "../provenance/source-type.ts";
import { whiteShare } from "./background.ts";
import type { ChannelProfile, FileFormat } from "./profiles.ts";
import type { WrittenFile } from "./written-file.ts";

export interface RuleResult {
  /** Machine-readable: "size", "background", "fill" ... */
  readonly rule: string;
  readonly passed: boolean;
  /** As measured in the file. */
  readonly value: number | string;
  readonly wanted: string;
}

export interface Validation {
  readonly passed: boolean;
  readonly rules: readonly RuleResult[];
}

/** What the file was to be. */
export interface Expected {
  readonly size: Size;
  readonly format: FileFormat;
  readonly sourceType: DigitalSourceType;
  /** The product in pixels of the file; absent for layers, where it does not count. */
  readonly product?: Cut;
  /** The product's matte in pixels of the file, where it stands on white. */
  readonly silhouette?: Alpha;
  readonly profile?: ChannelProfile;
  /** Shares of the frame in which the product must not lie; without it, all of the frame is free. */
  readonly covered?: Covered;
  /** Carries content credentials. */
  readonly isSigned?: boolean;
  /** A mask is grey and has no profile. */
  readonly isGrey?: boolean;
}

const percent = (share: number) => Math.round(share * 1000) / 10;
const bySize = ({ width, height }: Size) => `${width}×${height}`;

function everyFile(file: WrittenFile, expected: Expected): RuleResult[] {
  const { size, format, sourceType, isGrey = false } = expected;
  const uri = sourceTypeUri(sourceType);
  const profile = file.profile ?? "none";
  return [
    {
      rule: "size",
      passed: file.width === size.width && file.height === size.height,
      value: bySize(file),
      wanted: bySize(size),
    },
    { rule: "format", passed: file.format === format, value: file.format, wanted: format },
    {
      rule: "colour",
      passed: isGrey || /srgb/i.test(profile),
      value: profile,
      wanted: isGrey ? "any profile" : "an sRGB profile",
    },
    {
      rule: "source-type",
      passed: file.sourceType === uri,
      value: file.sourceType ?? "none",
      wanted: uri,
    },
    {
      rule: "no-location",
      passed: !file.namesPlace,
      value: file.namesPlace ? "GPS" : "none",
      wanted: "none",
    },
  ];
}

function credentials(file: WrittenFile, { isSigned = false }: Expected): RuleResult[] {
  if (!isSigned) return [];
  const value = file.credentials ?? "none";
  const passed = value === "Valid" || value === "Trusted";
  return [{ rule: "content-credentials", passed, value, wanted: "a valid signature" }];
}

function insideFrame(file: WrittenFile, { product, covered }: Expected): RuleResult[] {
  if (!product) return [];
  const { top = 0, bottom = 0, left = 0, right = 0 } = covered ?? {};
  const over = Math.max(
    file.width * left - product.x,
    file.height * top - product.y,
    product.x + product.width - file.width * (1 - right),
    product.y + product.height - file.height * (1 - bottom),
  );
  // Boxes are rounded to whole pixels.
  const rule = covered ? "safe-zone" : "whole-product";
  return [{ rule, passed: over <= 1, value: Math.max(0, Math.ceil(over - 1)), wanted: "0 pixels outside" }];
}

function channelRules(file: WrittenFile, profile: ChannelProfile): RuleResult[] {
  const longest = Math.max(file.width, file.height);
  const { longestSide, ratio, bytes } = profile;
  // Half a pixel of the shorter side is rounding.
  const skew = Math.abs(file.height - (file.width * ratio.height) / ratio.width);
  return [
    {
      rule: "longest-side",
      passed: longest >= longestSide.min && longest <= longestSide.max,
      value: longest,
      wanted: `${longestSide.min} to ${longestSide.max} pixels, ${longestSide.wanted} at best`,
    },
    {
      rule: "ratio",
      passed: skew <= 1,
      value: Math.round((file.width / file.height) * 1000) / 1000,
      wanted: `${ratio.width}:${ratio.height}`,
    },
    {
      rule: "file-type",
      passed: profile.formats.some((format) => format === file.format),
      value: file.format,
      wanted: profile.formats.join(", "),
    },
    { rule: "no-alpha", passed: !file.hasAlpha, value: file.hasAlpha ? "alpha" : "none", wanted: "none" },
    {
      rule: "file-weight",
      passed: file.bytes >= bytes.min && file.bytes <= bytes.max,
      value: file.bytes,
      wanted: `${bytes.min} to ${bytes.max} bytes`,
    },
  ];
}

/** More opaque than not: what a buyer sees as the product. Fringes and haze do not fill a frame. */
const SOLID = 128;

/** The product's share of the frame along its tighter side, 0..1. */
function solidShare(silhouette: Alpha): number {
  const { width, height, data } = silhouette;
  const box = boxWhere(silhouette, (i) => (data[i] ?? 0) >= SOLID);
  return box ? Math.max(box.width / width, box.height / height) : 0;
}

function whiteRules(file: WrittenFile, profile: ChannelProfile, { silhouette }: Expected): RuleResult[] {
  if (profile.background !== "white") return [];
  const white = silhouette ? whiteShare(file, silhouette) : 0;
  const rules: RuleResult[] = [
    { rule: "white-background", passed: white === 1, value: percent(white), wanted: "100 % of it #ffffff" },
  ];
  const { fill } = profile;
  if (fill) {
    const share = silhouette ? solidShare(silhouette) : 0;
    rules.push({
      rule: "fill",
      passed: share >= fill.min && share <= fill.max,
      value: percent(share),
      wanted: `${percent(fill.min)} to ${percent(fill.max)} % of the frame`,
    });
  }
  return rules;
}

export function validate(file: WrittenFile, expected: Expected): Validation {
  const { profile } = expected;
  const rules = [
    ...everyFile(file, expected),
    ...credentials(file, expected),
    ...insideFrame(file, expected),
    ...(profile ? [...channelRules(file, profile), ...whiteRules(file, profile, expected)] : []),
  ];
  return { passed: rules.every(({ passed }) => passed), rules };
}

/** The rules that do not hold, as a sentence. */
export function brokenRules({ rules }: Validation): string {
  return rules
    .filter(({ passed }) => !passed)
    .map(({ rule, value, wanted }) => `${rule} is ${value}, wanted ${wanted}`)
    .join("; ");
}

/**
 * What sales channels ask of a picture, as data: one profile each, with where and when its figures were read.
 * Rules change: a figure is mended here and nowhere else. `plan.ts` frames a picture by its profile,
 * `validate.ts` reads the written file back and says rule by rule whether it holds.
 */
import type { Covered, Size } from "../pipeline/layout.ts";
import type { CHANNEL_EXPORTS } from "#crds/stages.ts";

export type Channel = (typeof CHANNEL_EXPORTS)[number];
export type FileFormat = "jpeg" | "png" | "webp" | "avif";

export interface ChannelProfile {
  /** Width to height. */
  readonly ratio: Size;
  /** Pixels of the longer side: least that is taken, what is made where the picture has the pixels, most. */
  readonly longestSide: { readonly min: number; readonly wanted: number; readonly max: number };
  /** How far a picture with too few pixels may be enlarged, 1 not at all. */
  readonly maxEnlargement: number;
  /** `white` sets the product alone on pure #ffffff; `scene` cuts the placed picture. */
  readonly background: "white" | "scene";
  /** Share of the frame, along its tighter side, that the product takes, 0..1. */
  readonly fill?: { readonly min: number; readonly wanted: number; readonly max: number };
  /** What the channel covers with its own buttons: no product there. */
  readonly covered?: Covered;
  /** Pixels of the product's own longer side. */
  readonly minProductPixels?: number;
  /** The first is made unless the brand asks for another of them. None carries alpha. */
  readonly formats: readonly [FileFormat, ...FileFormat[]];
  readonly bytes: { readonly min: number; readonly max: number };
}

const KIB = 1024;
const MIB = 1024 * KIB;

export const CHANNELS: Readonly<Record<Channel, ChannelProfile>> = {
  // Seller Central "Product image guide", by its public copies, read in November 2026: pure white 255, product
  // 85 % of the frame or more, longest side 1,000 for zoom, 1,600 and more wanted, 10,000 at most, 10 MB, JPEG
  // preferred, no WebP, no alpha.
  "amazon-main": {
    ratio: { width: 1, height: 1 },
    longestSide: { min: 1000, wanted: 2000, max: 10_000 },
    maxEnlargement: 1,
    background: "white",
    fill: { min: 0.85, wanted: 0.9, max: 1 },
    formats: ["jpeg", "png"],
    bytes: { min: 0, max: 10 * MIB },
  },
  // support.google.com/merchants/answer/6324350, read in November 2026: 100 pixels (250 for apparel) at least,
  // 1,500 wanted, 64 megapixels and 16 MB at most, product 75 to 90 % of the picture, white or transparent,
  // nothing scaled up, IPTC metadata of generated pictures kept. The minimum here is apparel's.
  "google-shopping": {
    ratio: { width: 1, height: 1 },
    longestSide: { min: 250, wanted: 1500, max: 8000 },
    maxEnlargement: 1,
    background: "white",
    fill: { min: 0.75, wanted: 0.85, max: 0.9 },
    formats: ["jpeg", "webp", "png"],
    bytes: { min: 0, max: 16 * MIB },
  },
  // partnerplatform.bol.com "Optimise images", read in November 2026: white without visible shadows, 500 to
  // 6,000 pixels not counting white space, zoom from 1,200, 30 KB to 10 MB. How full is not said.
  bol: {
    ratio: { width: 1, height: 1 },
    longestSide: { min: 500, wanted: 1600, max: 6000 },
    maxEnlargement: 1,
    background: "white",
    fill: { min: 0.7, wanted: 0.88, max: 1 },
    minProductPixels: 500,
    formats: ["jpeg", "png"],
    bytes: { min: 30 * KIB, max: 10 * MIB },
  },
  // partner.zalando.com "Zalando image guidelines", of March 2025, read in November 2026: 1:1.44, 1801 × 2600
  // wanted, 762 × 1100 at least, JPEG, 20 MB, primary packshots on white. How full is not said.
  zalando: {
    ratio: { width: 1801, height: 2600 },
    longestSide: { min: 1100, wanted: 2600, max: 5200 },
    maxEnlargement: 1,
    background: "white",
    fill: { min: 0.6, wanted: 0.84, max: 0.95 },
    formats: ["jpeg"],
    bytes: { min: 0, max: 20 * MIB },
  },
  // Meta's ads guide by its public copies, read in November 2026: 1080 × 1920, the top 14 % and the bottom 20 %
  // lie under name and buttons, 30 MB, JPEG or PNG. The 6 % at the sides is the usual advice.
  "instagram-story": {
    ratio: { width: 9, height: 16 },
    longestSide: { min: 1920, wanted: 1920, max: 1920 },
    maxEnlargement: 1.5,
    background: "scene",
    covered: { top: 0.14, bottom: 0.2, left: 0.06, right: 0.06 },
    formats: ["jpeg", "png"],
    bytes: { min: 0, max: 30 * MIB },
  },
  // The project's own: a page's largest picture decides how fast the page looks (web.dev, "Optimize LCP"), so
  // the file has to stay light.
  "web-hero": {
    ratio: { width: 16, height: 9 },
    longestSide: { min: 1280, wanted: 1920, max: 1920 },
    maxEnlargement: 1.25,
    background: "scene",
    formats: ["webp", "avif", "jpeg"],
    bytes: { min: 0, max: 400 * KIB },
  },
};

export function channelOf(name: string): ChannelProfile | undefined {
  return Object.hasOwn(CHANNELS, name) ? CHANNELS[name as Channel] : undefined;
}

/** Where a channel's picture is cut and how large it becomes. Pure. */
import type { Box } from "#crds/runner-report.ts";
import { type Cut, planCut } from "../pipeline/crop.ts";
import type { Covered, Size } from "../pipeline/layout.ts";
import type { ChannelProfile } from "./profiles.ts";

export interface ChannelPlan {
  /** In pixels of the picture; may reach beyond it. */
  readonly cut: Cut;
  readonly size: Size;
  /** The product in pixels of the result. */
  readonly product: Cut;
  /** Shares of the frame in which the product must not lie. */
  readonly covered: Covered;
}

/** Why a picture cannot follow a profile, as a sentence for its owner. */
export interface Refusal {
  readonly refused: string;
}

export interface Placed {
  readonly picture: Size;
  readonly product: Box;
  /** Product with its shadow. */
  readonly content: Box;
  /** The cut that was planned with the scene, if one was. */
  readonly frame?: Box;
  /** Sides of the photo at which the product is cut off. */
  readonly cutOff: readonly string[];
}

/** A box of the picture in a result of `size` that shows `cut` of it; may reach beyond it. */
export function boxInResult(box: Cut, cut: Cut, size: Size): Cut {
  const scale = size.width / cut.width;
  return {
    x: Math.round((box.x - cut.x) * scale),
    y: Math.round((box.y - cut.y) * scale),
    width: Math.max(1, Math.round(box.width * scale)),
    height: Math.max(1, Math.round(box.height * scale)),
  };
}

/** The wanted share, or, where the product has too few pixels for the smallest size, as little as is allowed. */
function fillOf(longestWhenFull: number, { fill, longestSide }: ChannelProfile): number {
  if (!fill) return 1;
  return Math.max(fill.min, Math.min(fill.wanted, longestWhenFull / longestSide.min));
}

/** The frame in which the product takes its share, the product in its middle. */
function whiteCut(product: Box, profile: ChannelProfile): Cut {
  const aspect = profile.ratio.width / profile.ratio.height;
  const full = Math.max(product.width, product.height * aspect);
  const width = full / fillOf(full * Math.max(1, 1 / aspect), profile);
  const size = { width: Math.ceil(width), height: Math.ceil(width / aspect) };
  return {
    x: Math.round(product.x + (product.width - size.width) / 2),
    y: Math.round(product.y + (product.height - size.height) / 2),
    ...size,
  };
}

const NOTHING: Covered = { top: 0, bottom: 0, left: 0, right: 0 };

/** A product that the photo cuts off runs out of the frame there: it may run under the buttons as well. */
function coveredOf({ covered = NOTHING }: ChannelProfile, cutOff: readonly string[]): Covered {
  const open = Object.fromEntries(cutOff.map((side) => [side, 0]));
  return { ...covered, ...open };
}

/** How the content lies in the part of a cut that the channel leaves free; all inside is what is wanted. */
function isFree(cut: Cut, content: Box, covered: Covered): boolean {
  return (
    content.x >= cut.x + cut.width * covered.left &&
    content.x + content.width <= cut.x + cut.width * (1 - covered.right) &&
    content.y >= cut.y + cut.height * covered.top &&
    content.y + content.height <= cut.y + cut.height * (1 - covered.bottom)
  );
}

/** [from, from + length) of a cut whose free part [free.from, free.to) (shares) holds the content. */
function alongFree(
  length: number,
  content: { from: number; length: number },
  free: { from: number; to: number },
  picture: number,
): number {
  const middle = content.from + content.length / 2;
  const centred = middle - (length * (free.from + free.to)) / 2;
  // As far inside the picture as the content allows: the less background is made up, the better.
  const least = content.from + content.length - length * free.to;
  const most = content.from - length * free.from;
  const inside = Math.min(Math.max(centred, 0), Math.max(0, picture - length));
  return Math.min(Math.floor(most), Math.max(Math.ceil(least), Math.floor(inside)));
}

/** A cut of the ratio in whose free part the content lies. */
function coveredCut(
  { picture, content }: Placed,
  base: Cut,
  { ratio, covered }: { readonly ratio: Size; readonly covered: Covered },
): Cut {
  const aspect = ratio.width / ratio.height;
  const across = 1 - covered.left - covered.right;
  const down = 1 - covered.top - covered.bottom;
  // Two pixels more than needed: then there is a whole start that leaves the content free.
  const needed = Math.max((content.width + 2) / across, ((content.height + 2) / down) * aspect);
  const width = Math.ceil(Math.max(base.width, needed));
  const height = Math.round(width / aspect);
  return {
    x: alongFree(
      width,
      { from: content.x, length: content.width },
      { from: covered.left, to: 1 - covered.right },
      picture.width,
    ),
    y: alongFree(
      height,
      { from: content.y, length: content.height },
      { from: covered.top, to: 1 - covered.bottom },
      picture.height,
    ),
    width,
    height,
  };
}

function sceneCut(placed: Placed, { ratio }: ChannelProfile, covered: Covered): Cut {
  const base = placed.frame ?? planCut(placed.picture, placed.content, ratio);
  return isFree(base, placed.content, covered) ? base : coveredCut(placed, base, { ratio, covered });
}

function resultSize(cut: Cut, { ratio, longestSide, maxEnlargement }: ChannelProfile): Size {
  const native = Math.max(cut.width, cut.height);
  const wanted = Math.min(longestSide.wanted, Math.floor(native * maxEnlargement));
  const isWide = ratio.width >= ratio.height;
  const shorter = Math.round(
    (wanted * Math.min(ratio.width, ratio.height)) / Math.max(ratio.width, ratio.height),
  );
  return isWide ? { width: wanted, height: shorter } : { width: shorter, height: wanted };
}

function tooFew(
  size: Size,
  product: Size,
  { longestSide, minProductPixels = 0 }: ChannelProfile,
): string | undefined {
  const longest = Math.max(size.width, size.height);
  const advice = "choose a larger upscale factor, or send a larger photo";
  if (longest < longestSide.min) {
    return `the picture has pixels for ${longest} along its longer side, ${longestSide.min} are asked: ${advice}`;
  }
  const own = Math.max(product.width, product.height);
  if (own < minProductPixels)
    return `the product has ${own} pixels, ${minProductPixels} are asked: ${advice}`;
  return undefined;
}

export function planChannel(profile: ChannelProfile, placed: Placed): ChannelPlan | Refusal {
  if (profile.background === "white" && placed.cutOff.length > 0) {
    return {
      refused: `the photo cuts the product off (${placed.cutOff.join(", ")}): the whole product is asked`,
    };
  }
  const covered = coveredOf(profile, placed.cutOff);
  const cut =
    profile.background === "white" ? whiteCut(placed.product, profile) : sceneCut(placed, profile, covered);
  const size = resultSize(cut, profile);
  const product = boxInResult(placed.product, cut, size);
  const refused = tooFew(size, product, profile);
  return refused === undefined ? { cut, size, product, covered } : { refused };
}

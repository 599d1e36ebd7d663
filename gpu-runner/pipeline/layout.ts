/**
 * Where the product stands. Each wanted ratio gets a frame in which the product fills the asked share of the
 * room inside the margins, at the asked anchor, with product and shadow inside; all frames lie round one and
 * the same product, and the scene is as large as their union. Every export is then a plain cut from one
 * picture: nothing is stretched, and no crop touches product or shadow.
 */
import type { Box } from "#crds/runner-report.ts";
import type { ANCHORS } from "#crds/opaljob.ts";
import { moved, union } from "./box.ts";

export interface LayoutRules {
  readonly anchor: (typeof ANCHORS)[number];
  /** 10..100: share of the room inside the margins that the product fills along its tighter side. */
  readonly fillPercent: number;
  /** 0..40, of the frame's shorter side. */
  readonly marginPercent: number;
}

/** How far a shadow may reach beyond the product's box, in pixels. */
export interface ShadowRoom {
  readonly left: number;
  readonly right: number;
  readonly below: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Scene extends Size {
  readonly product: Box;
  /** The cut of each wanted ratio. */
  readonly frames: Readonly<Record<string, Box>>;
}

/** "4:3" as its two sides. @throws {RangeError} */
export function parseRatio(ratio: string): Size {
  const match = /^([1-9]\d?):([1-9]\d?)$/.exec(ratio);
  if (!match) throw new RangeError(`not a ratio like 4:3: "${ratio}"`);
  return { width: Number(match[1]), height: Number(match[2]) };
}

/** 0 at the start, ½ in the middle, 1 at the end of the room. */
function anchorShare(anchor: LayoutRules["anchor"]): { x: number; y: number } {
  const x = anchor.endsWith("left") ? 0 : anchor.endsWith("right") ? 1 : 0.5;
  const y = anchor.startsWith("top") ? 0 : anchor.startsWith("bottom") ? 1 : 0.5;
  return { x, y };
}

/** The position of a frame's start so that [from, to) lies inside [start, start + length). */
function shifted(start: number, length: number, from: number, to: number): number {
  return Math.min(from, Math.max(start, to - length));
}

/** A centred product stays in the middle: the side without a shadow gets the same room. */
function centredRoom(room: ShadowRoom, { anchor }: LayoutRules): ShadowRoom {
  if (anchorShare(anchor).x !== 0.5) return room;
  const side = Math.max(room.left, room.right);
  return { ...room, left: side, right: side };
}

/** The frame of one ratio, in coordinates in which the product's box starts at (0, 0). */
function planFrame(product: Size, shadow: ShadowRoom, rules: LayoutRules, ratio: string): Box {
  const room = centredRoom(shadow, rules);
  const sides = parseRatio(ratio);
  const short = Math.min(sides.width, sides.height);
  const [across, down] = [sides.width / short, sides.height / short];
  const margin = rules.marginPercent / 100;
  const share = anchorShare(rules.anchor);
  const contentWidth = room.left + product.width + room.right;
  const contentHeight = product.height + room.below;
  const wanted =
    Math.max(product.width / (across - 2 * margin), product.height / (down - 2 * margin)) /
    (rules.fillPercent / 100);
  const side = Math.max(wanted, contentWidth / across, contentHeight / down);
  const width = Math.ceil(side * across);
  const height = Math.ceil(side * down);
  const edge = Math.min(width, height) * margin;
  const x = -edge - share.x * (width - 2 * edge - product.width);
  const y = -edge - share.y * (height - 2 * edge - product.height);
  return {
    x: Math.round(shifted(x, width, -room.left, product.width + room.right)),
    y: Math.round(shifted(y, height, 0, contentHeight)),
    width,
    height,
  };
}

/** The scene for a product of a given size in pixels; `room` is what its shadow needs. */
export function planScene(
  product: Size,
  room: ShadowRoom,
  rules: LayoutRules,
  ratios: readonly string[],
): Scene {
  const planned = ratios.map((ratio) => [ratio, planFrame(product, room, rules, ratio)] as const);
  const [first, ...others] = planned.map(([, frame]) => frame);
  if (!first) throw new RangeError("a scene needs at least one ratio");
  const whole = others.reduce(union, first);
  return {
    width: whole.width,
    height: whole.height,
    product: { x: -whole.x, y: -whole.y, width: product.width, height: product.height },
    frames: Object.fromEntries(planned.map(([ratio, frame]) => [ratio, moved(frame, -whole.x, -whole.y)])),
  };
}

/**
 * By how much the product must shrink (1: not at all) for the scene to have at most `maxPixels`.
 * The area grows with the square of the scale; a small reserve covers rounding up.
 */
export function sceneScale(scene: Size, maxPixels: number): number {
  const area = scene.width * scene.height;
  return area <= maxPixels ? 1 : Math.sqrt(maxPixels / area) * 0.995;
}

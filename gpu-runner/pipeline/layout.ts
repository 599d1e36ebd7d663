/**
 * Where the product stands. Each wanted ratio gets a frame in which the product fills the asked share of the
 * room inside the margins, at the asked anchor or ground line, with product and shadow inside; all frames lie
 * round one and the same product, and the scene is as large as their union. Every export is then a plain cut
 * from one picture: nothing is stretched, and no crop touches product or shadow. Where a channel covers parts of
 * its frame, all of this holds in the part that is left free.
 */
import type { Box } from "#crds/runner-report.ts";
import type { ANCHORS } from "#crds/brand.ts";
import { moved, union } from "./box.ts";

export const EDGES = ["left", "top", "right", "bottom"] as const;
export type Edge = (typeof EDGES)[number];

export interface LayoutRules {
  readonly anchor: (typeof ANCHORS)[number];
  /** 10..100: share of the room inside the margins that the product fills along its tighter side. */
  readonly fillPercent: number;
  /** 0..40, of the frame's shorter side. */
  readonly marginPercent: number;
  /** Where the product's foot stands, in percent of the frame's height from its top; goes before the anchor. */
  readonly groundLinePercent?: number | undefined;
  /** Edges of the photo that cut the product off: it is put against the same edges of every frame. */
  readonly snap?: readonly Edge[];
}

/** Shares of a frame by side, 0..1, that lie under a channel's own names and buttons: nothing may stand there. */
export interface Covered {
  readonly top: number;
  readonly bottom: number;
  readonly left: number;
  readonly right: number;
}

/** How far a shadow may reach beyond the product's box, in pixels. */
export interface ShadowRoom {
  readonly left: number;
  readonly right: number;
  readonly below: number;
  readonly above?: number;
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

/** One direction of a frame, across or down. Lengths in pixels; the product begins at 0. */
interface Axis {
  readonly product: number;
  /** How far the shadow reaches before the product's start and beyond its end. */
  readonly before: number;
  readonly after: number;
  /** 0 at the start, ½ in the middle, 1 at the end of the room. */
  readonly share: number;
  readonly snapsToStart: boolean;
  readonly snapsToEnd: boolean;
  /** Shares of the frame's length that are free: all of it, [0, 1), unless something covers an end. */
  readonly freeFrom: number;
  readonly freeTo: number;
  /** Share of the free length at which the product ends, if that is given. */
  readonly foot?: number | undefined;
}

/** What an axis keeps free at its ends: nothing at an edge to which the product snaps, all that is covered. */
function marginsOf(axis: Axis, margin: number, length: number): { start: number; end: number } {
  return {
    start: axis.snapsToStart ? 0 : Math.max(margin, axis.freeFrom * length),
    end: axis.snapsToEnd ? 0 : Math.max(margin, (1 - axis.freeTo) * length),
  };
}

function shareOf(anchor: LayoutRules["anchor"], start: string, end: string): number {
  return anchor.includes(start) ? 0 : anchor.includes(end) ? 1 : 0.5;
}

/** A product in the middle stays there: the side without a shadow gets the same room. */
function centred(axis: Axis): Axis {
  if (axis.share !== 0.5 || axis.snapsToStart || axis.snapsToEnd) return axis;
  const room = Math.max(axis.before, axis.after);
  return { ...axis, before: room, after: room };
}

/** Pixels by which a product stays clear of what is covered: boxes are rounded when the scene is enlarged. */
const SPARE_PIXELS = 2;

const NOTHING: Covered = { top: 0, bottom: 0, left: 0, right: 0 };

function axesOf(
  product: Size,
  room: ShadowRoom,
  rules: LayoutRules,
  covered: Covered = NOTHING,
): { across: Axis; down: Axis } {
  const snaps = (edge: Edge) => rules.snap?.includes(edge) ?? false;
  // A product that the photo cuts off runs out of the frame, under the buttons as well.
  const shareAt = (edge: Edge) => (snaps(edge) ? 0 : covered[edge]);
  const spareAt = (edge: Edge) => (shareAt(edge) > 0 ? SPARE_PIXELS : 0);
  const across = centred({
    product: product.width,
    before: room.left + spareAt("left"),
    after: room.right + spareAt("right"),
    share: shareOf(rules.anchor, "left", "right"),
    snapsToStart: snaps("left"),
    snapsToEnd: snaps("right"),
    freeFrom: shareAt("left"),
    freeTo: 1 - shareAt("right"),
  });
  const down: Axis = {
    product: product.height,
    before: (room.above ?? 0) + spareAt("top"),
    after: room.below + spareAt("bottom"),
    share: shareOf(rules.anchor, "top", "bottom"),
    snapsToStart: snaps("top"),
    snapsToEnd: snaps("bottom"),
    freeFrom: shareAt("top"),
    freeTo: 1 - shareAt("bottom"),
    foot:
      rules.groundLinePercent === undefined || snaps("bottom") || snaps("top")
        ? undefined
        : rules.groundLinePercent / 100,
  };
  return { across, down };
}

/** How long the frame must be for product and shadow, and for the product to end at its ground line. */
function needed(axis: Axis): number {
  const free = axis.freeTo - axis.freeFrom;
  const content = (axis.before + axis.product + axis.after) / free;
  return axis.foot === undefined
    ? content
    : Math.max(content, (axis.product + axis.before) / (axis.foot * free));
}

/** The frame's start on an axis, so that everything lies inside what is free of [start, start + length). */
function startOf(axis: Axis, length: number, edge: number): number {
  const { product, freeFrom, freeTo } = axis;
  const first = product + axis.after - freeTo * length;
  const last = -axis.before - freeFrom * length;
  const inside = (start: number) => Math.min(last, Math.max(first, start));
  if (axis.snapsToStart) return inside(0);
  if (axis.snapsToEnd) return inside(product - length);
  if (axis.foot !== undefined) {
    return inside(product - (freeFrom + axis.foot * (freeTo - freeFrom)) * length);
  }
  const { start, end } = marginsOf(axis, edge, length);
  return inside(-start - axis.share * (length - (start + end) - product));
}

/** The axis on which opposite edges snap: the frame must be just as long, or neither edge can be kept. */
function loosened(axis: Axis, length: number): Axis {
  const both = axis.snapsToStart && axis.snapsToEnd && Math.round(length) !== axis.product;
  return both ? { ...axis, snapsToStart: false, snapsToEnd: false } : axis;
}

interface Lengths {
  readonly width: number;
  readonly height: number;
}

/** The frame's sides. A product cut off on both sides asks for a frame of just its width, where that is tall enough. */
function lengthsOf(axes: { across: Axis; down: Axis }, rules: LayoutRules, sides: Size): Lengths {
  const { across, down } = axes;
  const short = Math.min(sides.width, sides.height);
  const [wide, high] = [sides.width / short, sides.height / short];
  const margin = rules.marginPercent / 100;
  const fill = rules.fillPercent / 100;
  const must = Math.max(needed(across) / wide, needed(down) / high);
  const spans = across.snapsToStart && across.snapsToEnd && must <= across.product / wide;
  const room = (axis: Axis, length: number) => {
    const { start, end } = marginsOf(axis, margin, length);
    return length - start - end;
  };
  const wanted = Math.max(across.product / room(across, wide) / fill, down.product / room(down, high) / fill);
  const side = spans ? across.product / wide : Math.max(wanted, must);
  return { width: Math.ceil(side * wide - 1e-6), height: Math.ceil(side * high - 1e-6) };
}

/** The frame of one ratio, in coordinates in which the product's box starts at (0, 0). */
function planFrame(product: Size, room: ShadowRoom, rules: LayoutRules, ratio: FrameRatio): Box {
  const axes = axesOf(product, room, rules, ratio.covered);
  const { width, height } = lengthsOf(axes, rules, ratio);
  const edge = (Math.min(width, height) * rules.marginPercent) / 100;
  return {
    x: Math.round(startOf(centred(loosened(axes.across, width)), width, edge)),
    y: Math.round(startOf(loosened(axes.down, height), height, edge)),
    width,
    height,
  };
}

/** Width to height of a frame, and what of it must stay empty. */
export interface FrameRatio extends Size {
  readonly covered?: Covered | undefined;
}

/** The frames to plan, by name. */
export type FrameRatios = Readonly<Record<string, FrameRatio>>;

/** The scene for a product of a given size in pixels; `room` is what its shadow needs. */
export function planScene(product: Size, room: ShadowRoom, rules: LayoutRules, ratios: FrameRatios): Scene {
  const planned = Object.entries(ratios).map(
    ([name, ratio]) => [name, planFrame(product, room, rules, ratio)] as const,
  );
  const [first, ...others] = planned.map(([, frame]) => frame);
  if (!first) throw new RangeError("a scene needs at least one ratio");
  const whole = others.reduce(union, first);
  return {
    width: whole.width,
    height: whole.height,
    product: { x: 0 - whole.x, y: 0 - whole.y, width: product.width, height: product.height },
    frames: Object.fromEntries(planned.map(([name, frame]) => [name, moved(frame, -whole.x, -whole.y)])),
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

/**
 * The shadow that a product throws on the floor, made from its silhouette and the line on which it stands, lit
 * from the upper left: a tight dark seam where it touches the floor and the dimmed spot under its foot (contact),
 * and a soft cast that leans to the right and fades and blurs with the height that throws it. Deterministic.
 */
import { softBlur } from "./blur.ts";
import type { ShadowRoom, Size } from "./layout.ts";
import { type Alpha, newPlane, type Plane } from "./raster.ts";
import { resizePlane, shrinkPlane } from "./resample.ts";

export interface ShadowLook {
  /** Darkness of each part, 0 none to 1 black. */
  readonly contact: number;
  readonly cast: number;
}

export const STUDIO_SHADOW: ShadowLook = { contact: 0.72, cast: 0.44 };
/** On a flat colour a cast would claim a floor that is not there. */
export const FLAT_SHADOW: ShadowLook = { contact: 0.45, cast: 0 };

/** Lengths below are shares of the product's measure: its height, or its width where it is flat and wide. */
const measureOf = ({ width, height }: Size) => Math.max(height, 0.6 * width);

const LEAN = 0.34;
const SQUASH = 0.13;
const FLATNESS = 0.3;
const SLICES = 12;

/** The room round the product's box in which the shadow lies. */
function shadowRoom(product: Size, look: ShadowLook): ShadowRoom {
  const measure = measureOf(product);
  const round = Math.ceil(measure * 0.1);
  return {
    left: round,
    right: look.cast > 0 ? Math.ceil(measure * 0.3) : round,
    below: Math.ceil(measure * 0.1),
  };
}

export interface Shadow {
  /** Darkness 0..1; covers the product's box and `room` round it, nothing above. */
  readonly darkness: Plane;
  readonly room: ShadowRoom;
}

/** The shadow of a silhouette that is as large as its box. */
export function makeShadow(silhouette: Alpha, look: ShadowLook): Shadow {
  const room = shadowRoom(silhouette, look);
  const width = room.left + silhouette.width + room.right;
  const height = silhouette.height + room.below;
  const solid = newPlane(width, height);
  for (let y = 0; y < silhouette.height; y++) {
    for (let x = 0; x < silhouette.width; x++) {
      solid.data[y * width + room.left + x] = (silhouette.data[y * silhouette.width + x] ?? 0) / 255;
    }
  }
  const foot = { ground: silhouette.height - 1, measure: measureOf(silhouette) };
  const contact = atScale(solid, 640, foot, contactShadow);
  const cast = look.cast > 0 ? atScale(solid, 280, foot, castShadow) : newPlane(width, height);
  const darkness = newPlane(width, height);
  for (let i = 0; i < darkness.data.length; i++) {
    const light = (1 - look.contact * clip(contact.data[i])) * (1 - look.cast * clip(cast.data[i]));
    darkness.data[i] = 1 - light;
  }
  fadeBorders(darkness);
  return { darkness, room };
}

const clip = (value: number | undefined) => Math.min(1, Math.max(0, value ?? 0));

interface Foot {
  /** Row of the lowest solid pixel. */
  readonly ground: number;
  readonly measure: number;
}

/** Works on a copy of about `size` pixels: shadows are soft, and large pictures would cost seconds. */
function atScale(solid: Plane, size: number, foot: Foot, make: (solid: Plane, foot: Foot) => Plane): Plane {
  const factor = Math.max(1, Math.round(Math.max(solid.width, solid.height) / size));
  if (factor === 1) return make(solid, foot);
  const small = make(shrinkPlane(solid, factor), {
    ground: Math.floor(foot.ground / factor),
    measure: foot.measure / factor,
  });
  const padded = resizePlane(small, small.width * factor, small.height * factor);
  const out = newPlane(solid.width, solid.height);
  for (let y = 0; y < out.height; y++) {
    out.data.set(padded.data.subarray(y * padded.width, y * padded.width + out.width), y * out.width);
  }
  return out;
}

/** Where the silhouette ends below in a column; -1 in empty columns. */
function baseOf(solid: Plane, x: number, ground: number): number {
  for (let y = ground; y >= 0; y--) if ((solid.data[y * solid.width + x] ?? 0) > 0.5) return y;
  return -1;
}

/** A strip of the silhouette along its lower outline; the higher the outline lies, the weaker. */
function footStrip(solid: Plane, { ground, measure }: Foot): Plane {
  const strip = newPlane(solid.width, solid.height);
  const rows = Math.max(1, Math.round(0.025 * measure));
  for (let x = 0; x < solid.width; x++) {
    const base = baseOf(solid, x, ground);
    if (base < 0) continue;
    const weight = Math.exp(-(((ground - base) / (0.13 * measure)) ** 2));
    for (let y = Math.max(0, base - rows + 1); y <= base; y++) strip.data[y * solid.width + x] = weight;
  }
  return strip;
}

/**
 * The spot on the floor that the product keeps the light from: an ellipse as wide as its foot and as flat as a
 * floor seen from a little above.
 */
function footprint(solid: Plane, { ground, measure }: Foot): Plane {
  let left = solid.width;
  let right = 0;
  for (let x = 0; x < solid.width; x++) {
    const base = baseOf(solid, x, ground);
    if (base < 0 || ground - base > 0.12 * measure) continue;
    left = Math.min(left, x);
    right = Math.max(right, x + 1);
  }
  const spot = newPlane(solid.width, solid.height);
  const [centreX, radiusX] = [(left + right) / 2, Math.max(1, 0.54 * (right - left))];
  const radiusY = Math.max(1, FLATNESS * radiusX);
  const centreY = ground - 0.72 * radiusY;
  for (let y = 0, i = 0; y < spot.height; y++) {
    for (let x = 0; x < spot.width; x++, i++) {
      const distance = Math.hypot((x + 0.5 - centreX) / radiusX, (y - centreY) / radiusY);
      spot.data[i] = clip((1 - distance) * radiusY + 0.5);
    }
  }
  return spot;
}

/** The plane moved down by whole rows. */
function lowered(plane: Plane, rows: number): Plane {
  const out = newPlane(plane.width, plane.height);
  const shift = rows * plane.width;
  out.data.set(plane.data.subarray(0, plane.data.length - shift), shift);
  return out;
}

function contactShadow(solid: Plane, foot: Foot): Plane {
  const { measure } = foot;
  const strip = lowered(footStrip(solid, foot), Math.round(0.006 * measure));
  const seam = softBlur(strip, 0.01 * measure, 0.008 * measure);
  const spot = footprint(solid, foot);
  const near = softBlur(spot, 0.018 * measure, 0.012 * measure);
  const far = softBlur(spot, 0.05 * measure, 0.03 * measure);
  const out = newPlane(solid.width, solid.height);
  for (let i = 0; i < out.data.length; i++) {
    const light =
      (1 - 0.75 * clip(seam.data[i])) * (1 - 0.45 * clip(near.data[i])) * (1 - 0.4 * clip(far.data[i]));
    out.data[i] = 1 - light;
  }
  return out;
}

/** Lays the silhouette on the floor, slice by slice of its height, each with its own blur. */
function castShadow(solid: Plane, { ground, measure }: Foot): Plane {
  const out = newPlane(solid.width, solid.height);
  for (let slice = 0; slice < SLICES; slice++) {
    const height = (slice + 0.5) / SLICES;
    const laid = newPlane(solid.width, solid.height);
    const from = ground - Math.round(((slice + 1) / SLICES) * ground);
    const to = ground - Math.round((slice / SLICES) * ground);
    for (let y = from; y <= to; y++) layRow(solid, laid, { y, ground });
    const soft = softBlur(laid, (0.012 + 0.075 * height) * measure, (0.008 + 0.03 * height) * measure);
    const strength = (1 - height) ** 1.3;
    for (let i = 0; i < out.data.length; i++) {
      out.data[i] = (out.data[i] ?? 0) + strength * (soft.data[i] ?? 0);
    }
  }
  return out;
}

function layRow(solid: Plane, laid: Plane, { y, ground }: { y: number; ground: number }): void {
  const shift = Math.round(LEAN * (ground - y));
  const row = Math.round(ground - SQUASH * (ground - y));
  for (let x = 0; x + shift < solid.width; x++) {
    const to = row * laid.width + x + shift;
    laid.data[to] = Math.max(laid.data[to] ?? 0, solid.data[y * solid.width + x] ?? 0);
  }
}

/** The shadow ends inside its room: its last pixels on the open sides go to nothing. */
function fadeBorders(darkness: Plane): void {
  const { width, height } = darkness;
  const reach = Math.max(2, Math.round(0.25 * Math.min(width, height) * 0.2));
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i++) {
      const distance = Math.min(x, width - 1 - x, height - 1 - y) / reach;
      if (distance < 1) darkness.data[i] = (darkness.data[i] ?? 0) * distance * distance * (3 - 2 * distance);
    }
  }
}

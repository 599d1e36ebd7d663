/**
 * The shadow that a product throws, made from its silhouette and the line on which it stands. Contact: the tight
 * dark seam where it touches and the dimmed spot under its foot. Cast: every height of it laid on the floor in
 * the light's direction, wider, softer and weaker the higher it was. What lies or floats throws a soft drop.
 * Deterministic, and equal parameters mean equal light for all pictures of a job. Reflections: `reflection.ts`.
 */
import { boxWhere } from "./box.ts";
import { measureOf } from "./camera.ts";
import type { ShadowRoom } from "./layout.ts";
import { type Base, baseOf, type Foot } from "./pose.ts";
import { type Alpha, newPlane, type Plane } from "./raster.ts";
import { resizePlane, shrinkPlane } from "./resample.ts";
import type { Scaled, ShadowLook } from "./shadow-look.ts";
import { contactShadow } from "./shadow-contact.ts";
import { castShadow, dropShadow, floorShadow } from "./shadow-cast.ts";

export const STUDIO_SHADOW: ShadowLook = {
  contact: 0.72,
  cast: 0.6,
  softness: 1,
  reach: 0.36,
  directionDegrees: 25,
  pose: "standing",
};
/** On a flat colour a cast would claim a floor that is not there. */
export const FLAT_SHADOW: ShadowLook = { ...STUDIO_SHADOW, contact: 0.45, cast: 0 };

export interface Shadow {
  /** Darkness 0..1; covers the product's box and `room` round it. */
  readonly darkness: Plane;
  readonly room: Room;
}

/** On all four sides of the product's box, in pixels. */
export type Room = ShadowRoom & { readonly above: number };

/** How far below the product what floats has its ground, in measures. */
export const FLOAT_GAP = 0.16;

/** The room in which the shadow is worked out; what of it stays empty is cut away afterwards. */
function workingRoom(measure: number, look: ShadowLook): Room {
  const around = Math.ceil(measure * (0.1 + 0.06 * look.softness));
  const angle = (look.directionDegrees * Math.PI) / 180;
  const along = look.cast > 0 ? measure * (look.reach + 0.12 * look.softness) : 0;
  const [dx, dy] = [Math.cos(angle) * along, Math.sin(angle) * along * (look.pose === "standing" ? 0.35 : 1)];
  return {
    left: around + Math.ceil(Math.max(0, -dx)),
    right: around + Math.ceil(Math.max(0, dx)),
    above: around + Math.ceil(Math.max(0, -dy)),
    below: around + Math.ceil(Math.max(0, dy) + (look.pose === "floating" ? FLOAT_GAP * measure : 0)),
  };
}

function padded(silhouette: Alpha, room: Room): Plane {
  const solid = newPlane(
    room.left + silhouette.width + room.right,
    room.above + silhouette.height + room.below,
  );
  for (let y = 0; y < silhouette.height; y++) {
    const to = (room.above + y) * solid.width + room.left;
    for (let x = 0; x < silhouette.width; x++) {
      solid.data[to + x] = (silhouette.data[y * silhouette.width + x] ?? 0) / 255;
    }
  }
  return solid;
}

/** A base with each of its numbers changed: columns by `x`, rows by `y`. */
function mapBase(base: Base, x: (column: number) => number, y: (row: number) => number): Base {
  const map = (foot: Foot): Foot => ({ left: x(foot.left), right: x(foot.right), ground: y(foot.ground) });
  return { ...base, ...map(base), feet: base.feet.map(map) };
}

const movedBase = (base: Base, room: Room) =>
  mapBase(
    base,
    (column) => column + room.left,
    (row) => row + room.above,
  );

/** Works on a copy of at most `size` pixels a side: shadows are soft, and large pictures would cost seconds. */
function atSize(whole: Scaled, size: number, make: (small: Scaled) => Plane): Plane {
  const { solid, base, measure } = whole;
  const factor = Math.max(1, Math.round(Math.max(solid.width, solid.height) / size));
  if (factor === 1) return make(whole);
  const small = make({
    solid: shrinkPlane(solid, factor),
    base: mapBase(
      base,
      (column) => column / factor,
      (row) => Math.floor(row / factor),
    ),
    measure: measure / factor,
  });
  const large = resizePlane(small, small.width * factor, small.height * factor);
  const out = newPlane(solid.width, solid.height);
  for (let y = 0; y < out.height; y++) {
    out.data.set(large.data.subarray(y * large.width, y * large.width + out.width), y * out.width);
  }
  return out;
}

const clip = (value: number | undefined) => Math.min(1, Math.max(0, value ?? 0));

/** Contact and cast of a pose, 0..1 each. */
function partsOf(whole: Scaled, look: ShadowLook): { contact: Plane; cast: Plane } {
  const none = () => newPlane(whole.solid.width, whole.solid.height);
  switch (look.pose) {
    case "standing":
      return {
        contact: atSize(whole, 640, (small) => contactShadow(small, look)),
        cast:
          look.cast > 0
            ? atSize(whole, look.softness < 0.6 ? 420 : 210, (small) => castShadow(small, look))
            : none(),
      };
    case "lying":
      return {
        contact: atSize(whole, 640, (small) => dropShadow(small, look, "contact")),
        cast: look.cast > 0 ? atSize(whole, 320, (small) => dropShadow(small, look, "cast")) : none(),
      };
    case "floating":
      return { contact: none(), cast: atSize(whole, 280, (small) => floorShadow(small, look, FLOAT_GAP)) };
    default:
      return look.pose satisfies never;
  }
}

/** The shadow of a silhouette that is as large as its box; empty for an empty silhouette. */
export function makeShadow(silhouette: Alpha, look: ShadowLook): Shadow {
  const base = baseOf(silhouette);
  const measure = measureOf(silhouette);
  if (!base) return cutAway(newPlane(silhouette.width, silhouette.height), silhouette, NO_ROOM);
  const room = workingRoom(measure, look);
  const { contact, cast } = partsOf(
    { solid: padded(silhouette, room), base: movedBase(base, room), measure },
    look,
  );
  const castStrength = look.pose === "floating" ? Math.max(look.cast, 0.6 * look.contact) : look.cast;
  const darkness = newPlane(contact.width, contact.height);
  for (let i = 0; i < darkness.data.length; i++) {
    const light = (1 - look.contact * clip(contact.data[i])) * (1 - castStrength * clip(cast.data[i]));
    darkness.data[i] = 1 - light;
  }
  return cutAway(darkness, silhouette, room);
}

const NO_ROOM: Room = { left: 0, right: 0, above: 0, below: 0 };
/** Darker than what 8 bits can show of it. */
const SEEN = 1 / 512;

/** Leaves away the free rows and columns outside the product's box in which there is no shadow. */
function cutAway(darkness: Plane, product: Alpha, room: Room): Shadow {
  const seen = boxWhere(darkness, (i) => (darkness.data[i] ?? 0) > SEEN);
  const left = Math.max(0, room.left - (seen?.x ?? room.left));
  const above = Math.max(0, room.above - (seen?.y ?? room.above));
  const right = Math.max(0, (seen ? seen.x + seen.width : 0) - room.left - product.width);
  const below = Math.max(0, (seen ? seen.y + seen.height : 0) - room.above - product.height);
  const out = newPlane(left + product.width + right, above + product.height + below);
  for (let y = 0; y < out.height; y++) {
    const from = (y + room.above - above) * darkness.width + room.left - left;
    out.data.set(darkness.data.subarray(from, from + out.width), y * out.width);
  }
  return { darkness: out, room: { left, right, above, below } };
}

/** The shadow without what lies beyond the product's own edges on these sides: the photo ends there. */
export function clipShadow(shadow: Shadow, edges: readonly string[]): Shadow {
  const { darkness, room } = shadow;
  const cut = {
    left: edges.includes("left") ? room.left : 0,
    right: edges.includes("right") ? room.right : 0,
    above: edges.includes("top") ? room.above : 0,
    below: edges.includes("bottom") ? room.below : 0,
  };
  const out = newPlane(darkness.width - cut.left - cut.right, darkness.height - cut.above - cut.below);
  for (let y = 0; y < out.height; y++) {
    const from = (y + cut.above) * darkness.width + cut.left;
    out.data.set(darkness.data.subarray(from, from + out.width), y * out.width);
  }
  const left = room.left - cut.left;
  const above = room.above - cut.above;
  return {
    darkness: out,
    room: { left, above, right: room.right - cut.right, below: room.below - cut.below },
  };
}

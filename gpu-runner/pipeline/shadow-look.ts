import type { Shadow as ShadowRules } from "#crds/brand.ts";
import type { Base, Pose } from "./pose.ts";
import type { Plane } from "./raster.ts";

export interface ShadowLook {
  /** Darkness of each part, 0 none to 1 black. */
  readonly contact: number;
  readonly cast: number;
  /** Width of soft edges, 1 a large softbox, 0 a point. */
  readonly softness: number;
  /** Length of the cast, in heights of what throws it. */
  readonly reach: number;
  /** Where it falls, seen from above: 0 to the right, 90 towards the viewer, 180 to the left. */
  readonly directionDegrees: number;
  readonly pose: Pose;
}

/** A silhouette among free pixels, at the size at which its shadow is worked out. */
export interface Scaled {
  /** 0..1 */
  readonly solid: Plane;
  /** In pixels of `solid`. */
  readonly base: Base;
  readonly measure: number;
}

/** The darkest contact and cast: intensity 50 is half of it. */
const DARKEST = { contact: 1.44, cast: 1.2 };
/** The longest cast, in heights. */
const LONGEST = 0.72;

/** A brand's shadow as lengths and strengths. `parts` says which are thrown. */
export function shadowLook(rules: ShadowRules, parts: ReadonlySet<string>, pose: Pose): ShadowLook {
  const intensity = rules.intensity / 100;
  const softness = rules.softness / 50;
  return {
    contact: parts.has("contact") ? Math.min(1, DARKEST.contact * intensity) : 0,
    cast: parts.has("cast") ? Math.min(1, DARKEST.cast * intensity) : 0,
    softness: softness <= 1 ? softness : 1 + 1.3 * (softness - 1),
    reach: (LONGEST * rules.spread) / 100,
    directionDegrees: rules.directionDegrees,
    pose,
  };
}

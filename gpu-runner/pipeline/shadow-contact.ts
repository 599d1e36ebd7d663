/** Where a standing product touches the floor. */
import { softBlur } from "./blur.ts";
import { FLOOR_SQUASH } from "./camera.ts";
import { newPlane, type Plane } from "./raster.ts";
import type { Scaled, ShadowLook } from "./shadow-look.ts";

/** Where the silhouette ends below in a column; -1 in empty columns. */
function lowestIn({ solid, base }: Scaled, x: number): number {
  for (let y = base.ground; y >= 0; y--) if ((solid.data[y * solid.width + x] ?? 0) > 0.5) return y;
  return -1;
}

/** A strip of the silhouette along its lower outline; the higher the outline lies over its foot, the weaker. */
function footStrip(scaled: Scaled): Plane {
  const { solid, base, measure } = scaled;
  const strip = newPlane(solid.width, solid.height);
  const rows = Math.max(1, Math.round(0.025 * measure));
  for (let x = 0; x < solid.width; x++) {
    const lowest = lowestIn(scaled, x);
    if (lowest < 0) continue;
    const ground = (base.feet.find(({ left, right }) => x >= left - 1 && x <= right) ?? base).ground;
    const weight = Math.exp(-(((ground - lowest) / (0.11 * measure)) ** 2));
    for (let y = Math.max(0, lowest - rows + 1); y <= lowest; y++) strip.data[y * solid.width + x] = weight;
  }
  return strip;
}

/** The spots on the floor from which feet keep the light: as wide as a foot, as flat as the floor is seen. */
function footprints({ solid, base }: Scaled): Plane {
  const spots = newPlane(solid.width, solid.height);
  for (const foot of base.feet) {
    const radiusX = Math.max(1, 0.53 * (foot.right - foot.left));
    const radiusY = Math.max(1, 1.25 * FLOOR_SQUASH * radiusX);
    const [centreX, centreY] = [(foot.left + foot.right) / 2, foot.ground - 0.75 * radiusY];
    const first = Math.max(0, Math.floor(centreY - radiusY - 1));
    for (let y = first; y < Math.min(spots.height, centreY + radiusY + 2); y++) {
      for (let x = 0; x < spots.width; x++) {
        const distance = Math.hypot((x + 0.5 - centreX) / radiusX, (y - centreY) / radiusY);
        const cover = Math.min(1, Math.max(0, (1 - distance) * radiusY + 0.5));
        const at = y * spots.width + x;
        if (cover > (spots.data[at] ?? 0)) spots.data[at] = cover;
      }
    }
  }
  return spots;
}

/** The plane moved down by whole rows. */
function lowered(plane: Plane, rows: number): Plane {
  const out = newPlane(plane.width, plane.height);
  const shift = rows * plane.width;
  out.data.set(plane.data.subarray(0, plane.data.length - shift), shift);
  return out;
}

/** 0..1: the seam along the outline, a near and a far half-shadow of the spot. */
export function contactShadow(scaled: Scaled, { softness }: ShadowLook): Plane {
  const { measure } = scaled;
  const soft = 0.5 + 0.5 * softness;
  const strip = lowered(footStrip(scaled), Math.round(0.005 * measure));
  const seam = softBlur(strip, 0.009 * measure * soft, 0.007 * measure * soft);
  const spot = footprints(scaled);
  const near = softBlur(spot, 0.02 * measure * soft, 0.011 * measure * soft);
  const far = softBlur(spot, 0.07 * measure * soft, 0.03 * measure * soft);
  const out = newPlane(spot.width, spot.height);
  for (let i = 0; i < out.data.length; i++) {
    const light =
      (1 - 0.75 * (seam.data[i] ?? 0)) * (1 - 0.45 * (near.data[i] ?? 0)) * (1 - 0.4 * (far.data[i] ?? 0));
    out.data[i] = 1 - light;
  }
  return out;
}

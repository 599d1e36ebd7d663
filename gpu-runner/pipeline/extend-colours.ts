import { boxBlur } from "./blur.ts";
import { type Alpha, newPlane, type Plane, type Rgb } from "./raster.ts";

const FAINTEST = 1e-3;

/** A channel times opacity: mixed without what lies under transparency. */
function premultiplied(rgb: Rgb, channel: number, opacity: Plane): Plane {
  const plane = newPlane(rgb.width, rgb.height);
  for (let i = 0; i < plane.data.length; i++) {
    plane.data[i] = (rgb.data[i * 3 + channel] ?? 0) * (opacity.data[i] ?? 0);
  }
  return plane;
}

function opacityOf(alpha: Alpha): Plane {
  const plane = newPlane(alpha.width, alpha.height);
  for (let i = 0; i < plane.data.length; i++) plane.data[i] = (alpha.data[i] ?? 0) / 255;
  return plane;
}

/**
 * Continues a cut-out's colours under its transparent surroundings, so that a network or a filter never meets
 * whatever colour lies there. A copy; only pixels of alpha 0 within `radius` of others differ.
 */
export function extendColours(rgb: Rgb, alpha: Alpha, radius: number): Rgb {
  const data = rgb.data.slice();
  const opacity = opacityOf(alpha);
  const near = boxBlur(opacity, radius);
  for (let channel = 0; channel < 3; channel++) {
    const around = boxBlur(premultiplied(rgb, channel, opacity), radius);
    for (let i = 0; i < alpha.data.length; i++) {
      const weight = near.data[i] ?? 0;
      if (alpha.data[i] !== 0 || weight < FAINTEST) continue;
      data[i * 3 + channel] = Math.min(255, Math.round((around.data[i] ?? 0) / weight));
    }
  }
  return { ...rgb, data };
}

/** What is left of the old background's colour where a cut-out is laid on a new one. */
import { toLinear, toSrgb } from "../../../gpu-runner/pipeline/linear-light.ts";
import type { Cutout } from "../../../gpu-runner/pipeline/compose.ts";
import { near } from "./boundary.ts";
import { softBand } from "./matte-error.ts";

/** A white page, a dark one, and a colour that no product has. */
const BACKGROUNDS = [
  [255, 255, 255],
  [24, 24, 28],
  [200, 40, 160],
] as const;
/** Pixels round the soft edge that count too: a rim is often seen just outside it. */
const RIM_PIXELS = 2;

/** Channel `at % 3` of pixel `at / 3` of a cut-out laid on a background. */
function laidOn(background: readonly number[], { colour, alpha }: Cutout, at: number): number {
  const opacity = (alpha.data[Math.floor(at / 3)] ?? 0) / 255;
  const behind = toLinear(background[at % 3] ?? 0);
  return toSrgb(toLinear(colour.data[at] ?? 0) * opacity + behind * (1 - opacity));
}

/** The soft edge of the exact matte with a narrow rim: 1 inside. */
export function edgeBand({ alpha }: Cutout): Uint8Array {
  return near(softBand(alpha), alpha, RIM_PIXELS);
}

/**
 * Root of the mean squared difference, in sRGB levels, of both cut-outs laid on three backgrounds (mixed in
 * linear light), over the edge band; undefined when the exact matte has no soft edge.
 */
export function haloError(got: Cutout, exact: Cutout, band: Uint8Array): number | undefined {
  let sum = 0;
  let count = 0;
  for (let i = 0; i < band.length; i++) {
    if (band[i] !== 1) continue;
    for (const background of BACKGROUNDS) {
      for (let at = i * 3; at < i * 3 + 3; at++) {
        sum += (laidOn(background, got, at) - laidOn(background, exact, at)) ** 2;
        count++;
      }
    }
  }
  return count === 0 ? undefined : Math.sqrt(sum / count);
}

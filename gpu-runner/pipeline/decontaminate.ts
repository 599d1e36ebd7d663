/**
 * Takes the old background's colour out of the soft edge (blur fusion): near the edge the product's and the
 * background's own colours are estimated as means weighted by alpha, and the pixel is explained by both. Two
 * passes, a wide one that finds colours at all and a narrow one that keeps detail. Where alpha is 255 nothing
 * is touched: the product's pixels stay exactly what they were.
 */
import type { Box } from "#crds/runner-report.ts";
import { boxBlur } from "./blur.ts";
import { alphaBox } from "./matte.ts";
import { grown } from "./box.ts";
import { type Alpha, cropBytes, newPlane, type Plane, type Rgb } from "./raster.ts";

/** How far outside the matte colours are continued, so that resampling never meets black. */
const COLOUR_MARGIN_PIXELS = 16;
const WIDE_RADIUS_SHARE = 90 / 1024;
/** The narrow pass' radius as a share of the wide one's: 6 to 90 where the method was tuned. */
const NARROW_SHARE = 6 / 90;
const LEAST_NARROW_RADIUS = 2;
const TINY = 1e-4;

interface Estimate {
  /** The product's colour, 0..255, defined where anything opaque is near. */
  readonly foreground: Plane;
  readonly background: Plane;
}

/** Colours weighted by how much of a pixel they fill: `share` is 1 for alpha, 0 for the rest of it. */
function weighted(colour: Plane, alpha: Plane, share: 0 | 1): Plane {
  const out = newPlane(alpha.width, alpha.height);
  for (let i = 0; i < out.data.length; i++) {
    const a = alpha.data[i] ?? 0;
    out.data[i] = (colour.data[i] ?? 0) * (share === 1 ? a : 1 - a);
  }
  return out;
}

/** Means over the window, each divided by the mean weight there. In place. */
function normalise(sums: Plane, nearAlpha: Plane, share: 0 | 1): Plane {
  for (let i = 0; i < sums.data.length; i++) {
    const near = nearAlpha.data[i] ?? 0;
    sums.data[i] = (sums.data[i] ?? 0) / ((share === 1 ? near : 1 - near) + TINY);
  }
  return sums;
}

interface Window {
  readonly radius: number;
  /** Mean alpha of the window round each pixel. */
  readonly nearAlpha: Plane;
}

function blurFusion(picture: Plane, alpha: Plane, guess: Estimate, { radius, nearAlpha }: Window): Estimate {
  const foreground = normalise(boxBlur(weighted(guess.foreground, alpha, 1), radius), nearAlpha, 1);
  const background = normalise(boxBlur(weighted(guess.background, alpha, 0), radius), nearAlpha, 0);
  for (let i = 0; i < alpha.data.length; i++) {
    const a = alpha.data[i] ?? 0;
    const f = foreground.data[i] ?? 0;
    const b = background.data[i] ?? 0;
    foreground.data[i] = f + a * ((picture.data[i] ?? 0) - a * f - (1 - a) * b);
  }
  return { foreground, background };
}

function channelPlane(picture: Rgb, channel: number): Plane {
  const plane = newPlane(picture.width, picture.height);
  for (let i = 0; i < plane.data.length; i++) plane.data[i] = picture.data[i * 3 + channel] ?? 0;
  return plane;
}

type Windows = Readonly<Record<"wide" | "narrow", Window>>;

function windowsOf(alpha: Plane, wideRadius: number): Windows {
  const window = (radius: number) => ({ radius, nearAlpha: boxBlur(alpha, radius) });
  const narrow = Math.max(LEAST_NARROW_RADIUS, Math.round(NARROW_SHARE * wideRadius));
  return { wide: window(wideRadius), narrow: window(narrow) };
}

function refineChannel(picture: Plane, alpha: Plane, { wide, narrow }: Windows): Plane {
  const guess = blurFusion(picture, alpha, { foreground: picture, background: picture }, wide);
  return blurFusion(picture, alpha, guess, narrow).foreground;
}

interface Surroundings {
  /** Where in the picture the product and its surroundings lie. */
  readonly box: Box;
  readonly near: Rgb;
  readonly matte: Alpha;
  /** Zero where no product is near. */
  readonly reach: Float32Array;
}

/** Writes one channel's clean colours back; opaque pixels get the photo's own bytes. */
function writeChannel(
  out: Rgb,
  channel: number,
  clean: Plane,
  { box, near, matte, reach }: Surroundings,
): void {
  for (let i = 0; i < clean.data.length; i++) {
    if ((reach[i] ?? 0) <= TINY) continue;
    const x = box.x + (i % box.width);
    const y = box.y + Math.floor(i / box.width);
    const own = matte.data[i] === 255 ? near.data[i * 3 + channel] : clean.data[i];
    out.data[(y * out.width + x) * 3 + channel] = Math.min(255, Math.max(0, Math.round(own ?? 0)));
  }
}

/**
 * The product's own colours: unchanged where alpha is 255, cleaned in the soft edge, continued a little way
 * outside it, black elsewhere (so nothing of the old background is kept).
 */
export function decontaminate(picture: Rgb, alpha: Alpha): Rgb {
  const out: Rgb = { ...picture, data: new Uint8Array(picture.data.length) };
  const product = alphaBox(alpha, 1);
  if (!product) return out;
  const wideRadius = Math.max(8, Math.round(WIDE_RADIUS_SHARE * Math.max(product.width, product.height)));
  const box = grown(product, wideRadius + COLOUR_MARGIN_PIXELS, alpha);
  const near = cropBytes(picture, box, 3);
  const matte = cropBytes(alpha, box, 1);
  const soft = newPlane(box.width, box.height);
  for (let i = 0; i < soft.data.length; i++) soft.data[i] = (matte.data[i] ?? 0) / 255;
  const reach = boxBlur(soft, COLOUR_MARGIN_PIXELS).data;
  const windows = windowsOf(soft, wideRadius);
  for (let channel = 0; channel < 3; channel++) {
    const clean = refineChannel(channelPlane(near, channel), soft, windows);
    writeChannel(out, channel, clean, { box, near, matte, reach });
  }
  return out;
}

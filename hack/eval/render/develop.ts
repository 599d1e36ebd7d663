/**
 * From rendered light to a photo with its exact truth. The photo is composed of the layers, so that matte and
 * colours explain it exactly (up to its JPEG): in linear light, photo = alpha × colour + (1 − alpha) × plate.
 */
import { toSrgb } from "../../../gpu-runner/pipeline/linear-light.ts";
import { type Alpha, newPlane, newRgb, type Plane, type Rgb } from "../../../gpu-runner/pipeline/raster.ts";
import { resizePlane } from "../../../gpu-runner/pipeline/resample.ts";

/** Linear light, RGBA, 4 floats a pixel, rows from the bottom. */
export interface RenderedLayer {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

export interface Developed {
  readonly photo: Rgb;
  readonly alpha: Alpha;
  /** The product's own colours; black where alpha is 0. */
  readonly colour: Rgb;
  /** The place with the product's shadow and reflections, without the product. */
  readonly plate: Rgb;
}

/** The level (linear) at which the brightest three percent of a photo begin, by kind of product. */
const EXPOSURES: Readonly<Record<string, number>> = { "white-on-white": 0.88, "black-on-black": 0.2 };
const EXPOSURE = 0.7;
const EXPOSED_SHARE = 0.97;
/** Light above is compressed, as film does, so that nothing clips hard. */
const SHOULDER = 0.75;

function planes({ width, height, data }: RenderedLayer): Plane[] {
  return [0, 1, 2, 3].map((channel) => {
    const plane = newPlane(width, height);
    for (let y = 0; y < height; y++) {
      const from = (height - 1 - y) * width;
      for (let x = 0; x < width; x++) plane.data[y * width + x] = data[(from + x) * 4 + channel] ?? 0;
    }
    return plane;
  });
}

const shouldered = (light: number) =>
  light <= SHOULDER ? Math.max(0, light) : 1 - (1 - SHOULDER) * Math.exp((SHOULDER - light) / (1 - SHOULDER));

function exposure(light: readonly Plane[], kind: string): number {
  const [red, green, blue] = light;
  const brightness = Float32Array.from(
    red?.data ?? [],
    (value, i) => 0.21 * value + 0.72 * (green?.data[i] ?? 0) + 0.07 * (blue?.data[i] ?? 0),
  ).sort();
  const bright = brightness[Math.floor(brightness.length * EXPOSED_SHARE)] ?? 0;
  return (EXPOSURES[kind] ?? EXPOSURE) / Math.max(bright, 1e-4);
}

interface Mixing {
  readonly exposure: number;
  readonly alpha: Alpha;
}

/** Writes one channel of photo, colour and plate. */
function mixChannel(
  out: Developed,
  channel: number,
  [product, plate]: readonly [Plane, Plane],
  { exposure: gain, alpha }: Mixing,
): void {
  for (let i = 0; i < alpha.data.length; i++) {
    const opacity = (alpha.data[i] ?? 0) / 255;
    const own = opacity === 0 ? 0 : shouldered(((product.data[i] ?? 0) / opacity) * gain);
    const behind = shouldered((plate.data[i] ?? 0) * gain);
    const at = i * 3 + channel;
    out.colour.data[at] = Math.round(toSrgb(own));
    out.plate.data[at] = Math.round(toSrgb(behind));
    out.photo.data[at] = Math.round(toSrgb(own * opacity + behind * (1 - opacity)));
  }
}

/** @param product premultiplied, with the exact matte as alpha; `plate` may be smaller, it is enlarged. */
export function develop(product: RenderedLayer, plate: RenderedLayer, kind: string): Developed {
  const { width, height } = product;
  const [red, green, blue, opacity] = planes(product);
  const behind = planes(plate)
    .slice(0, 3)
    .map((plane) => resizePlane(plane, width, height));
  if (!red || !green || !blue || !opacity) throw new RangeError("a layer has four channels");
  const alpha: Alpha = {
    width,
    height,
    data: Uint8Array.from(opacity.data, (value) => Math.round(255 * Math.min(1, Math.max(0, value)))),
  };
  const out = {
    alpha,
    photo: newRgb(width, height),
    colour: newRgb(width, height),
    plate: newRgb(width, height),
  };
  const own = [red, green, blue];
  const light = own.map((plane, channel) => ({
    ...plane,
    data: plane.data.map(
      (value, i) => value + (1 - (opacity.data[i] ?? 0)) * (behind[channel]?.data[i] ?? 0),
    ),
  }));
  const mixing = { alpha, exposure: exposure(light, kind) };
  own.forEach((plane, channel) => mixChannel(out, channel, [plane, behind[channel] ?? plane], mixing));
  return out;
}

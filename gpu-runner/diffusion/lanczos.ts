/** Pillow's Lanczos resampling of 8-bit pictures, by which diffusers sizes pictures. Pure. */
import type { Area } from "./vae-tiles.ts";

/** Interleaved channels, one byte each. */
export interface Raster extends Area {
  readonly channels: number;
  readonly data: Uint8Array;
}

const REACH = 3;

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

const lanczos = (x: number) => (Math.abs(x) < REACH ? sinc(x) * sinc(x / REACH) : 0);

interface Taps {
  readonly first: number;
  readonly weights: Float64Array;
}

function tapsAt(i: number, from: number, to: number): Taps {
  const scale = from / to;
  const spread = Math.max(1, scale);
  const centre = (i + 0.5) * scale;
  const first = Math.max(0, Math.trunc(centre - REACH * spread + 0.5));
  const end = Math.min(from, Math.trunc(centre + REACH * spread + 0.5));
  const weights = Float64Array.from({ length: end - first }, (_, k) =>
    lanczos((first + k - centre + 0.5) / spread),
  );
  const sum = weights.reduce((a, b) => a + b, 0);
  return { first, weights: weights.map((weight) => weight / sum) };
}

/** The picture with its axes exchanged and the former rows as long as `length`: twice is both directions. */
function resizedAcross({ width, height, channels, data }: Raster, length: number): Raster {
  const out = new Uint8Array(length * height * channels);
  for (let x = 0; x < length; x++) {
    const { first, weights } = tapsAt(x, width, length);
    for (let y = 0; y < height; y++) {
      for (let c = 0; c < channels; c++) {
        let sum = 0;
        const from = (y * width + first) * channels + c;
        for (let k = 0; k < weights.length; k++) sum += (data[from + k * channels] ?? 0) * (weights[k] ?? 0);
        out[(x * height + y) * channels + c] = Math.min(255, Math.max(0, Math.floor(sum + 0.5)));
      }
    }
  }
  return { width: height, height: length, channels, data: out };
}

export function resizeLanczos(raster: Raster, to: Area): Raster {
  return resizedAcross(resizedAcross(raster, to.width), to.height);
}

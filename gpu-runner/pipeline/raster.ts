/**
 * Pure picture maths on typed arrays: no codec, no model, no file, no clock. Rows go from the top, pixels from
 * the left, channels are interleaved. 8-bit colours are sRGB; alpha is straight (never premultiplied).
 */
import type { Box } from "#crds/runner-report.ts";

/** RGB, 3 bytes a pixel: `data.length === width * height * 3`. */
export interface Rgb {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** One byte a pixel, 0 transparent to 255 opaque. */
export interface Alpha {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

/** One float a pixel; the range is stated where one is used. */
export interface Plane {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

export const newPlane = (width: number, height: number): Plane => ({
  width,
  height,
  data: new Float32Array(width * height),
});

export const newRgb = (width: number, height: number): Rgb => ({
  width,
  height,
  data: new Uint8Array(width * height * 3),
});

/** The part of a picture inside `box`, copied. The box must lie inside the picture. */
export function cropBytes<T extends Rgb | Alpha>(picture: T, box: Box, channels: number): T {
  const data = new Uint8Array(box.width * box.height * channels);
  for (let row = 0; row < box.height; row++) {
    const from = ((box.y + row) * picture.width + box.x) * channels;
    data.set(picture.data.subarray(from, from + box.width * channels), row * box.width * channels);
  }
  return { ...picture, width: box.width, height: box.height, data };
}

/** Splits RGBA, 4 bytes a pixel, into colour and alpha. */
export function splitRgba(rgba: Uint8Array, width: number, height: number): { rgb: Rgb; alpha: Alpha } {
  const rgb = newRgb(width, height);
  const alpha = { width, height, data: new Uint8Array(width * height) };
  for (let i = 0, from = 0, to = 0; i < alpha.data.length; i++) {
    rgb.data[to++] = rgba[from++] ?? 0;
    rgb.data[to++] = rgba[from++] ?? 0;
    rgb.data[to++] = rgba[from++] ?? 0;
    alpha.data[i] = rgba[from++] ?? 0;
  }
  return { rgb, alpha };
}

export function joinRgba(rgb: Rgb, alpha: Alpha): Uint8Array {
  const rgba = new Uint8Array(alpha.data.length * 4);
  for (let i = 0, from = 0, to = 0; i < alpha.data.length; i++) {
    rgba[to++] = rgb.data[from++] ?? 0;
    rgba[to++] = rgb.data[from++] ?? 0;
    rgba[to++] = rgb.data[from++] ?? 0;
    rgba[to++] = alpha.data[i] ?? 0;
  }
  return rgba;
}

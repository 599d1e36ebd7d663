/**
 * Inpainting a part of a picture at the model's full resolution: the part round the mask is cut out, worked on
 * alone and laid back. As diffusers does it with `padding_mask_crop`. Pure.
 */
import type { Box } from "#crds/runner-report.ts";
import { boxWhere } from "../pipeline/box.ts";
import { type Alpha, cropBytes, newRgb, type Rgb } from "../pipeline/raster.ts";
import { type Raster, resizeLanczos } from "./lanczos.ts";
import type { Area } from "./vae-tiles.ts";

interface Span {
  readonly start: number;
  readonly end: number;
}

/** A span grown to a length about its middle, moved back where it leaves 0..limit, and cut there at last. */
function grownTo({ start, end }: Span, length: number, limit: number): Span {
  const more = Math.trunc(length - (end - start));
  let from = start - Math.floor(more / 2);
  let to = end + more - Math.floor(more / 2);
  if (to >= limit) [from, to] = [from - (to - limit), limit];
  if (from < 0) [from, to] = [0, to - from];
  return { start: from, end: Math.min(to, limit) };
}

/**
 * The part to work on: what is masked with `padding` pixels round it, in the ratio of `size`.
 * @param mask 0 keeps; at least one pixel must be more
 */
export function cropRegion(mask: Alpha, size: Area, padding: number): Box {
  const masked = boxWhere(mask, (i) => (mask.data[i] ?? 0) > 0);
  if (!masked) throw new RangeError("nothing is masked: there is nothing to inpaint");
  let across = {
    start: Math.max(masked.x - padding, 0),
    end: Math.min(masked.x + masked.width + padding, mask.width),
  };
  let down = {
    start: Math.max(masked.y - padding, 0),
    end: Math.min(masked.y + masked.height + padding, mask.height),
  };
  const ratio = size.width / size.height;
  const [wide, high] = [across.end - across.start, down.end - down.start];
  if (wide / high > ratio) down = grownTo(down, wide / ratio, mask.height);
  else across = grownTo(across, high * ratio, mask.width);
  return {
    x: across.start,
    y: down.start,
    width: across.end - across.start,
    height: down.end - down.start,
  };
}

/** Fitted into `size` without a change of ratio; the rest repeats the nearest edge. */
function fitted(raster: Raster, size: Area): Raster {
  const [own, wanted] = [raster.width / raster.height, size.width / size.height];
  const width = wanted < own ? size.width : Math.floor((raster.width * size.height) / raster.height);
  const height = wanted >= own ? size.height : Math.floor((raster.height * size.width) / raster.width);
  const inner = resizeLanczos(raster, { width, height });
  if (width === size.width && height === size.height) return inner;
  const [left, top] = [
    Math.floor(size.width / 2) - Math.floor(width / 2),
    Math.floor(size.height / 2) - Math.floor(height / 2),
  ];
  const { channels } = raster;
  const data = new Uint8Array(size.width * size.height * channels);
  for (let y = 0, to = 0; y < size.height; y++) {
    const row = Math.min(height - 1, Math.max(0, y - top));
    for (let x = 0; x < size.width; x++) {
      const from = (row * width + Math.min(width - 1, Math.max(0, x - left))) * channels;
      for (let c = 0; c < channels; c++) data[to++] = inner.data[from + c] ?? 0;
    }
  }
  return { ...size, channels, data };
}

export function fitRgb(rgb: Rgb, size: Area): Rgb {
  const { width, height, data } = fitted({ ...rgb, channels: 3 }, size);
  return { width, height, data };
}

export function fitMask(mask: Alpha, size: Area): Alpha {
  const { width, height, data } = fitted({ ...mask, channels: 1 }, size);
  return { width, height, data };
}

export const cropRgb = (rgb: Rgb, region: Box): Rgb => cropBytes(rgb, region, 3);
export const cropMask = (mask: Alpha, region: Box): Alpha => cropBytes(mask, region, 1);

/** What was made of a region laid into the picture; where the mask is 0 the picture stays as it was. */
export function layBack(whole: Rgb, mask: Alpha, region: Box, made: Rgb): Rgb {
  const inner = resizeLanczos({ ...made, channels: 3 }, region);
  const out = newRgb(whole.width, whole.height);
  out.data.set(whole.data);
  for (let y = 0; y < region.height; y++) {
    for (let x = 0; x < region.width; x++) {
      const at = (region.y + y) * whole.width + region.x + x;
      const share = (mask.data[at] ?? 0) / 255;
      for (let c = 0; c < 3; c++) {
        const [own, new_] = [whole.data[at * 3 + c] ?? 0, inner.data[(y * region.width + x) * 3 + c] ?? 0];
        out.data[at * 3 + c] = Math.round(own + (new_ - own) * share);
      }
    }
  }
  return out;
}

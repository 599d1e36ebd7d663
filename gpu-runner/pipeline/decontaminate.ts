/**
 * Takes the old background's colour out of the soft edge (blur fusion): near the edge the product's and the
 * background's own colours are estimated as means weighted by alpha, and the pixel is explained by both. Two
 * passes, a wide one that finds colours at all and a narrow one that keeps detail. Where alpha is 255 nothing
 * is touched: the product's pixels stay exactly what they were. Only tiles that hold an edge cost anything.
 */
import type { Box } from "#crds/runner-report.ts";
import { grown } from "./box.ts";
import { cleanTile } from "./decontaminate-tile.ts";
import { wideColours } from "./decontaminate-wide.ts";
import { alphaBox } from "./matte.ts";
import type { Alpha, Rgb } from "./raster.ts";

/** How far outside the matte colours are continued at least, so that resampling never meets black. */
const COLOUR_MARGIN_PIXELS = 16;
const TILE = 64;
const WIDE_RADIUS_SHARE = 90 / 1024;
const LEAST_WIDE_RADIUS = 8;
/** The narrow pass' radius as a share of the wide one's: 6 to 90 where the method was tuned. */
const NARROW_SHARE = 6 / 90;
const LEAST_NARROW_RADIUS = 2;

function* tilesOf(box: Box): Generator<Box> {
  for (let y = box.y; y < box.y + box.height; y += TILE) {
    for (let x = box.x; x < box.x + box.width; x += TILE) {
      const width = Math.min(TILE, box.x + box.width - x);
      yield { x, y, width, height: Math.min(TILE, box.y + box.height - y) };
    }
  }
}

/** Whether a part of the matte holds nothing but one level. */
function isAll(level: number, alpha: Alpha, { x, y, width, height }: Box): boolean {
  for (let row = y; row < y + height; row++) {
    const end = row * alpha.width + x + width;
    for (let i = end - width; i < end; i++) if (alpha.data[i] !== level) return false;
  }
  return true;
}

function copyTile(from: Rgb, to: Rgb, { x, y, width, height }: Box): void {
  for (let row = y; row < y + height; row++) {
    const start = (row * from.width + x) * 3;
    to.data.set(from.data.subarray(start, start + width * 3), start);
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
  const longer = Math.max(product.width, product.height);
  const wideRadius = Math.max(LEAST_WIDE_RADIUS, Math.round(WIDE_RADIUS_SHARE * longer));
  const radius = Math.max(LEAST_NARROW_RADIUS, Math.round(NARROW_SHARE * wideRadius));
  const wide = wideColours({ picture, alpha }, grown(product, wideRadius, alpha), wideRadius);
  for (const tile of tilesOf(grown(product, COLOUR_MARGIN_PIXELS, alpha))) {
    if (isAll(255, alpha, tile)) copyTile(picture, out, tile);
    else if (!isAll(0, alpha, grown(tile, COLOUR_MARGIN_PIXELS, alpha)))
      cleanTile({ picture, alpha, wide, radius }, tile, out);
  }
  return out;
}

/** Fifty pictures without a product, made by code: how many would be cut out, and so billed? */
import sharp from "sharp";
import { type Rgb, newRgb } from "../../../gpu-runner/pipeline/raster.ts";
import type { Cutter } from "../cutters/cutter.ts";
import type { AreaResult, Exhibit } from "../figures.ts";
import { onCheckerboard, thumbnail } from "../page/thumbnail.ts";
import { encodePng } from "../../../gpu-runner/stages/picture-codec.ts";
import type { CutterName } from "./segment-scores.ts";

export const BLANKS = 50;
const SIDE = { width: 640, height: 480 };
/** A mask that covers at least this share would be sold as a product. */
const BILLED_SHARE = 0.0005;

/** A number 0..1 for each pixel and seed, without a pattern. */
function hash(seed: number, x: number, y: number): number {
  let h = Math.imul(seed + 1, 0x9e3779b1) ^ Math.imul(x + 1, 0x85ebca6b) ^ Math.imul(y + 1, 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15), 0x2c1b3c6d);
  h = Math.imul(h ^ (h >>> 12), 0x297a2d39);
  return ((h ^ (h >>> 15)) >>> 0) / 2 ** 32;
}

/** Smooth noise 0..1 with features of about `size` pixels. */
function cloud(seed: number, x: number, y: number, size: number): number {
  const [u, v] = [x / size, y / size];
  const [left, top] = [Math.floor(u), Math.floor(v)];
  const [fx, fy] = [u - left, v - top].map((t) => t * t * (3 - 2 * t));
  const at = (dx: number, dy: number) => hash(seed, left + dx, top + dy);
  const upper = at(0, 0) + (at(1, 0) - at(0, 0)) * (fx ?? 0);
  const lower = at(0, 1) + (at(1, 1) - at(0, 1)) * (fx ?? 0);
  return upper + (lower - upper) * (fy ?? 0);
}

/** Brightness -1..1 round the base colour at a pixel. */
type Pattern = (seed: number, x: number, y: number) => number;

const PATTERNS: readonly { readonly name: string; readonly at: Pattern }[] = [
  { name: "flat", at: () => 0 },
  { name: "gradient", at: (seed, x, y) => ((seed % 2 === 0 ? x / SIDE.width : y / SIDE.height) - 0.5) * 0.8 },
  { name: "noise", at: (seed, x, y) => hash(seed, x, y) - 0.5 },
  { name: "plaster", at: (seed, x, y) => 0.5 * (cloud(seed, x, y, 90) + 0.5 * cloud(seed, x, y, 14) - 0.75) },
  {
    name: "wood",
    at: (seed, x, y) => 0.5 * (cloud(seed, x * 0.06, y, 9) + 0.5 * cloud(seed, x * 0.3, y, 30) - 0.75),
  },
];

/** Blank number `index`: patterns go round, colours and seeds differ. */
export function makeBlank(index: number): { name: string; rgb: Rgb } {
  const pattern = PATTERNS[index % PATTERNS.length];
  if (!pattern) throw new RangeError(`no pattern ${index}`);
  const base = [0, 1, 2].map((channel) => 50 + 190 * hash(index, 1000 + channel, 7));
  const rgb = newRgb(SIDE.width, SIDE.height);
  for (let y = 0, i = 0; y < SIDE.height; y++) {
    for (let x = 0; x < SIDE.width; x++) {
      const light = 110 * pattern.at(index, x, y);
      for (const level of base) rgb.data[i++] = Math.min(255, Math.max(0, Math.round(level + light)));
    }
  }
  return { name: pattern.name, rgb };
}

export interface BlankSubjects {
  readonly cutters: Readonly<Record<CutterName, Cutter>>;
  /** 1..BLANKS: fewer for a quick look. */
  readonly count: number;
  readonly onProgress: (text: string) => void;
}

const NAMES = ["ours", "baseline", "rembg"] as const;

export async function measureBlanks({ cutters, count, onProgress }: BlankSubjects): Promise<AreaResult> {
  const billed = { ours: 0, baseline: 0, rembg: 0 };
  const exhibits: Exhibit[] = [];
  for (let index = 0; index < count; index++) {
    onProgress(`blank ${index + 1} of ${count}`);
    const { name: pattern, rgb } = makeBlank(index);
    const raw = { width: rgb.width, height: rgb.height, channels: 3 as const };
    const photo = await sharp(rgb.data, { raw }).jpeg({ quality: 93 }).toBuffer();
    const panels = [{ label: `photo (${pattern})`, bytes: await thumbnail(photo) }];
    for (const name of NAMES) {
      const cutout = await cutters[name].cut(photo);
      const opaque = cutout?.alpha.data.reduce((sum, level) => sum + (level > 127 ? 1 : 0), 0) ?? 0;
      if (!cutout || opaque / cutout.alpha.data.length < BILLED_SHARE) continue;
      billed[name]++;
      const { bytes } = await encodePng(cutout.colour, cutout.alpha);
      panels.push({ label: `${name} would bill this`, bytes: await onCheckerboard(bytes) });
    }
    if (panels.length > 1 && exhibits.length < PATTERNS.length) {
      exhibits.push({ heading: "A blank that somebody would bill", about: `blank ${index}`, panels });
    }
  }
  const label = `blanks billed of ${count}`;
  return {
    area: "blanks",
    figures: [{ key: "blanks_billed", label, ...billed, bar: { value: 0, better: "lower" } }],
    exhibits,
  };
}

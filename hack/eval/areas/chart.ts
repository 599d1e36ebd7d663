/** The classic chart of 24 patches, in the files that shops send: wide gamuts, CMYK, 16 bit, eight orientations. */
import sharp from "sharp";
import { newRgb, type Rgb } from "../../../gpu-runner/pipeline/raster.ts";
import { cmykTiff, GRID, type Ink, inkToSrgb } from "../metrics/cmyk-file.ts";
import { srgbToXyz } from "../metrics/colour-spaces.ts";
import { fromXyz, iccProfile, type MatrixSpace, withProfile } from "../metrics/icc-profile.ts";

type Colour = readonly [number, number, number];

/** sRGB of the ColorChecker's patches, row by row. */
export const PATCHES: readonly Colour[] = [
  [115, 82, 68],
  [194, 150, 130],
  [98, 122, 157],
  [87, 108, 67],
  [133, 128, 177],
  [103, 189, 170],
  [214, 126, 44],
  [80, 91, 166],
  [193, 90, 99],
  [94, 60, 108],
  [157, 188, 64],
  [224, 163, 46],
  [56, 61, 150],
  [70, 148, 73],
  [175, 54, 60],
  [231, 199, 31],
  [187, 86, 149],
  [8, 133, 161],
  [243, 243, 242],
  [200, 200, 200],
  [160, 160, 160],
  [122, 122, 121],
  [85, 85, 85],
  [52, 52, 52],
];

const COLUMNS = 6;
const ROWS = 4;
export const PATCH_PIXELS = 48;
const WIDTH = COLUMNS * PATCH_PIXELS;
const HEIGHT = ROWS * PATCH_PIXELS;

/** Interleaved samples of a chart whose patches have the given values. */
function drawn<T extends Uint8Array | Uint16Array>(into: T, colours: readonly (readonly number[])[]): T {
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const column = Math.floor((i % WIDTH) / PATCH_PIXELS);
    const row = Math.floor(i / WIDTH / PATCH_PIXELS);
    const colour = colours[row * COLUMNS + column] ?? [];
    for (let c = 0; c < 3; c++) into[i * 3 + c] = colour[c] ?? 0;
  }
  return into;
}

export function chartOf(colours: readonly (readonly number[])[]): Rgb {
  return { width: WIDTH, height: HEIGHT, data: drawn(new Uint8Array(WIDTH * HEIGHT * 3), colours) };
}

/** The mean colour of each patch's middle. */
export function readPatches({ width, data }: Rgb): Colour[] {
  return PATCHES.map((_, patch): Colour => {
    const [x, y] = [(patch % COLUMNS) * PATCH_PIXELS, Math.floor(patch / COLUMNS) * PATCH_PIXELS];
    const sums: [number, number, number] = [0, 0, 0];
    const quarter = PATCH_PIXELS / 4;
    for (let dy = quarter; dy < 3 * quarter; dy++) {
      for (let dx = quarter; dx < 3 * quarter; dx++) {
        const at = ((y + dy) * width + x + dx) * 3;
        for (const c of [0, 1, 2] as const) sums[c] += data[at + c] ?? 0;
      }
    }
    const pixels = (2 * quarter) ** 2;
    return [sums[0] / pixels, sums[1] / pixels, sums[2] / pixels];
  });
}

const RAW = { width: WIDTH, height: HEIGHT, channels: 3 as const };

function png16(colours: readonly (readonly number[])[]): Promise<Buffer> {
  const data = drawn(new Uint16Array(WIDTH * HEIGHT * 3), colours);
  return sharp(data, { raw: { ...RAW } })
    .toColourspace("rgb16")
    .png()
    .toBuffer();
}

function png8(rgb: Rgb): Promise<Buffer> {
  return sharp(rgb.data, { raw: RAW }).png().toBuffer();
}

/** The chart's colours as values of another space, 0..1. */
const inSpace = (space: MatrixSpace) => PATCHES.map((patch) => fromXyz(space, srgbToXyz(patch)));

const scaled = (colours: readonly (readonly number[])[], by: number) =>
  colours.map((colour) => colour.map((value) => Math.round(value * by)));

/** The chart in a space with a wider gamut, its profile attached. */
export async function chartInSpace(space: MatrixSpace, bits: 8 | 16): Promise<Buffer> {
  const values = inSpace(space);
  const png = bits === 8 ? await png8(chartOf(scaled(values, 255))) : await png16(scaled(values, 65535));
  return withProfile(png, iccProfile(space));
}

export function chart16(): Promise<Buffer> {
  return png16(scaled(PATCHES, 257));
}

/** Inks of 24 patches on the profile's grid (so that they are exact), spread over the gamut; the last are greys. */
const INKS: readonly Ink[] = PATCHES.map((_, i) => {
  const steps = [(i * 3) % GRID, (i * 5 + 2) % GRID, (i * 7 + 4) % GRID, i % 3] as const;
  const [cyan, magenta, yellow, black] = i < 18 ? steps : [0, 0, 0, i - 18];
  const full = GRID - 1;
  return [cyan / full, magenta / full, yellow / full, black / full];
});

/** The colours that the print file's patches have. */
export const INK_COLOURS: readonly Colour[] = INKS.map(inkToSrgb);

/** A chart as a print shop hands it over: CMYK with its profile. */
export function printFile(): Buffer {
  const samples = new Uint8Array(WIDTH * HEIGHT * 4);
  for (let i = 0; i < WIDTH * HEIGHT; i++) {
    const patch = Math.floor(i / WIDTH / PATCH_PIXELS) * COLUMNS + Math.floor((i % WIDTH) / PATCH_PIXELS);
    samples.set(
      (INKS[patch] ?? [0, 0, 0, 0]).map((ink) => Math.round(255 * ink)),
      i * 4,
    );
  }
  return cmykTiff(samples, { width: WIDTH, height: HEIGHT });
}

/** Where a pixel of the upright picture lies in the file, for EXIF orientation 1..8. */
function storedAt(orientation: number, [x, y]: readonly [number, number]): readonly [number, number] {
  const [right, bottom] = [WIDTH - 1 - x, HEIGHT - 1 - y];
  const places = [
    [x, y],
    [right, y],
    [right, bottom],
    [x, bottom],
    [y, x],
    [y, right],
    [bottom, right],
    [bottom, x],
  ] as const;
  return places[orientation - 1] ?? [x, y];
}

/** A JPEG whose pixels are stored turned, with the tag that says so. */
export function turnedChart(orientation: number): Promise<Buffer> {
  const upright = chartOf(PATCHES);
  const sideways = orientation > 4;
  const stored = sideways ? newRgb(HEIGHT, WIDTH) : newRgb(WIDTH, HEIGHT);
  for (let y = 0; y < HEIGHT; y++) {
    for (let x = 0; x < WIDTH; x++) {
      const [toX, toY] = storedAt(orientation, [x, y]);
      const from = (y * WIDTH + x) * 3;
      stored.data.set(upright.data.subarray(from, from + 3), (toY * stored.width + toX) * 3);
    }
  }
  const raw = { width: stored.width, height: stored.height, channels: 3 as const };
  return sharp(stored.data, { raw })
    .withMetadata({ orientation })
    .jpeg({ quality: 98, chromaSubsampling: "4:4:4" })
    .toBuffer();
}

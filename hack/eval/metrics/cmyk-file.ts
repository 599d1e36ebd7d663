/**
 * A print file whose colours are known: a CMYK TIFF, uncompressed, with a profile made by code. The profile's
 * inks are ideal filters over sRGB, tabulated on a grid; colours that lie on the grid are exact.
 */
import { srgbToXyz } from "./colour-spaces.ts";
import { assembled, named, toD50 } from "./icc-profile.ts";

export type Ink = readonly [cyan: number, magenta: number, yellow: number, black: number];

/** Points along each ink, 0..GRID - 1. */
export const GRID = 9;

/** sRGB (0..255, not rounded) of inks 0..1. */
export function inkToSrgb([cyan, magenta, yellow, black]: Ink): [number, number, number] {
  const level = (ink: number) => 255 * (1 - ink) * (1 - black);
  return [level(cyan), level(magenta), level(yellow)];
}

const D50 = [0.9642, 1, 0.8249] as const;

/** Lab (D50) in the 16-bit code of version 2 profiles. */
function labCode(rgb: readonly number[]): [number, number, number] {
  const [x = 0, y = 0, z = 0] = toD50(srgbToXyz(rgb)).map((value, i) => {
    const t = value / (D50[i] ?? 1);
    return t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29;
  });
  const code = (value: number) => Math.round(Math.min(65535, Math.max(0, value)));
  return [code(652.8 * (116 * y - 16)), code(256 * (500 * (x - y) + 128)), code(256 * (200 * (y - z) + 128))];
}

/** The table of all inks, black varying fastest. */
function gridCodes(): number[] {
  const codes: number[] = [];
  for (let i = 0; i < GRID ** 4; i++) {
    const at = (power: number) => (Math.floor(i / GRID ** power) % GRID) / (GRID - 1);
    codes.push(...labCode(inkToSrgb([at(3), at(2), at(1), at(0)])));
  }
  return codes;
}

function lut16(): Buffer {
  const identity = [1, 0, 0, 0, 1, 0, 0, 0, 1];
  const ramps = (count: number) => Array.from({ length: count }, () => [0, 65535]).flat();
  const head = Buffer.alloc(52);
  head.write("mft2", 0, "latin1");
  head.set([4, 3, GRID, 0], 8);
  identity.forEach((value, i) => head.writeInt32BE(value * 65536, 12 + i * 4));
  head.writeUInt16BE(2, 48);
  head.writeUInt16BE(2, 50);
  const values = [...ramps(4), ...gridCodes(), ...ramps(3)];
  const body = Buffer.alloc(values.length * 2);
  values.forEach((value, i) => body.writeUInt16BE(value, i * 2));
  return Buffer.concat([head, body]);
}

function cmykProfile(): Buffer {
  return assembled("scnrCMYKLab ", [...named("Ideal inks"), ["A2B0", lut16()]]);
}

const SHORT = 3;
const LONG = 4;
const UNDEFINED = 7;
const TYPE_BYTES: Readonly<Record<number, number>> = { [SHORT]: 2, [LONG]: 4, [UNDEFINED]: 1 };

/** @param samples four bytes a pixel, 255 is full ink */
export function cmykTiff(samples: Uint8Array, { width, height }: { width: number; height: number }): Buffer {
  const profile = cmykProfile();
  const entries = 11;
  const bitsAt = 8 + 2 + entries * 12 + 4;
  const profileAt = bitsAt + 8;
  const pixelsAt = profileAt + profile.length;
  const head = Buffer.alloc(profileAt);
  head.write("II*\0", 0, "latin1");
  head.writeUInt32LE(8, 4);
  head.writeUInt16LE(entries, 8);
  const tags: readonly (readonly [tag: number, type: number, count: number, value: number])[] = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, 4, bitsAt],
    [259, SHORT, 1, 1],
    [262, SHORT, 1, 5],
    [273, LONG, 1, pixelsAt],
    [277, SHORT, 1, 4],
    [278, LONG, 1, height],
    [279, LONG, 1, samples.length],
    [284, SHORT, 1, 1],
    [34675, UNDEFINED, profile.length, profileAt],
  ];
  tags.forEach(([tag, type, count, value], i) => {
    const at = 10 + i * 12;
    head.writeUInt16LE(tag, at);
    head.writeUInt16LE(type, at + 2);
    head.writeUInt32LE(count, at + 4);
    if ((TYPE_BYTES[type] ?? 4) * count === 2) head.writeUInt16LE(value, at + 8);
    else head.writeUInt32LE(value, at + 8);
  });
  for (let i = 0; i < 4; i++) head.writeUInt16LE(8, bitsAt + i * 2);
  return Buffer.concat([head, profile, samples]);
}

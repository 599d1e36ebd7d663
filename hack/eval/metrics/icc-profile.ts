/** ICC profiles made by code (version 2, matrix and curve), so that a chart's truth depends on no library. */
import { crc32, deflateSync } from "node:zlib";

export interface MatrixSpace {
  readonly name: string;
  /** Rows X, Y, Z (relative to D65) of linear red, green and blue. */
  readonly toXyz: readonly (readonly [number, number, number])[];
  /** Device value 0..1 to light 0..1, and back. */
  readonly decode: (value: number) => number;
  readonly encode: (light: number) => number;
}

const srgbDecode = (v: number) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
const srgbEncode = (v: number) => (v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055);
const ADOBE_GAMMA = 563 / 256;

export const DISPLAY_P3: MatrixSpace = {
  name: "Display P3",
  toXyz: [
    [0.4865709, 0.2656677, 0.1982173],
    [0.2289746, 0.6917385, 0.0792869],
    [0, 0.0451134, 1.0439444],
  ],
  decode: srgbDecode,
  encode: srgbEncode,
};

export const ADOBE_RGB: MatrixSpace = {
  name: "Adobe RGB (1998)",
  toXyz: [
    [0.5767309, 0.185554, 0.1881852],
    [0.2973769, 0.6273491, 0.0752741],
    [0.0270343, 0.0706872, 0.9911085],
  ],
  decode: (v) => v ** ADOBE_GAMMA,
  encode: (v) => v ** (1 / ADOBE_GAMMA),
};

type Vector = readonly [number, number, number];
const dot = (a: Vector, b: Vector) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

/** Device values 0..1 (clipped) of an XYZ relative to D65. */
export function fromXyz({ toXyz, encode }: MatrixSpace, xyz: Vector): Vector {
  const [x, y, z] = toXyz;
  if (!x || !y || !z) throw new RangeError("a matrix has three rows");
  const scale = dot(x, cross(y, z));
  // Cramer's rule: each column replaced by the wanted colour.
  const columns = [0, 1, 2].map((i): Vector => [x[i] ?? 0, y[i] ?? 0, z[i] ?? 0]);
  const [r, g, b] = columns;
  if (!r || !g || !b) throw new RangeError("a matrix has three columns");
  const light = [dot(xyz, cross(g, b)), dot(r, cross(xyz, b)), dot(r, cross(g, xyz))];
  const [red = 0, green = 0, blue = 0] = light.map((value) =>
    encode(Math.min(1, Math.max(0, value / scale))),
  );
  return [red, green, blue];
}

/** Bradford, D65 to the D50 of profiles. */
const TO_D50: readonly Vector[] = [
  [1.0478112, 0.0228866, -0.050127],
  [0.0295424, 0.9904844, -0.0170491],
  [-0.0092345, 0.0150436, 0.7521316],
];

function s15Fixed16(values: readonly number[]): Buffer {
  const out = Buffer.alloc(8 + values.length * 4);
  out.write("XYZ ", 0, "latin1");
  values.forEach((value, i) => out.writeInt32BE(Math.round(value * 65536), 8 + i * 4));
  return out;
}

/** An XYZ relative to D65 as profiles have it, relative to D50. */
export function toD50(xyz: Vector): number[] {
  return TO_D50.map((row) => dot(row, xyz));
}

const CURVE_POINTS = 1024;

function curve(decode: MatrixSpace["decode"]): Buffer {
  const out = Buffer.alloc(12 + CURVE_POINTS * 2);
  out.write("curv", 0, "latin1");
  out.writeUInt32BE(CURVE_POINTS, 8);
  for (let i = 0; i < CURVE_POINTS; i++) {
    out.writeUInt16BE(Math.round(65535 * decode(i / (CURVE_POINTS - 1))), 12 + i * 2);
  }
  return out;
}

function description(name: string): Buffer {
  const out = Buffer.alloc(12 + name.length + 1 + 78);
  out.write("desc", 0, "latin1");
  out.writeUInt32BE(name.length + 1, 8);
  out.write(name, 12, "latin1");
  return out;
}

function text(value: string): Buffer {
  return Buffer.concat([Buffer.from("text\0\0\0\0", "latin1"), Buffer.from(`${value}\0`, "latin1")]);
}

/** Device class, colour space and connection space, four letters each. */
function header(size: number, spaces: string): Buffer {
  const out = Buffer.alloc(128);
  out.writeUInt32BE(size, 0);
  out.writeUInt32BE(0x02400000, 8);
  out.write(spaces, 12, "latin1");
  [2026, 1, 1].forEach((value, i) => out.writeUInt16BE(value, 24 + i * 2));
  out.write("acsp", 36, "latin1");
  [0.9642, 1, 0.8249].forEach((value, i) => out.writeInt32BE(Math.round(value * 65536), 68 + i * 4));
  return out;
}

/** The profile of a matrix space. */
export function iccProfile({ name, toXyz, decode }: MatrixSpace): Buffer {
  const colourant = (i: number) => {
    const xyz: Vector = [toXyz[0]?.[i] ?? 0, toXyz[1]?.[i] ?? 0, toXyz[2]?.[i] ?? 0];
    return s15Fixed16(toD50(xyz));
  };
  return assembled("mntrRGB XYZ ", [
    ...named(name),
    ["rXYZ", colourant(0)],
    ["gXYZ", colourant(1)],
    ["bXYZ", colourant(2)],
    ["rTRC", curve(decode)],
    ["gTRC", curve(decode)],
    ["bTRC", curve(decode)],
  ]);
}

type Tag = readonly [signature: string, body: Buffer];

/** The tags that every profile has. */
export function named(name: string): Tag[] {
  return [
    ["desc", description(name)],
    ["cprt", text("No copyright")],
    ["wtpt", s15Fixed16([0.9642, 1, 0.8249])],
  ];
}

/** A profile of its tags. */
export function assembled(spaces: string, tags: readonly Tag[]): Buffer {
  const table = Buffer.alloc(4 + tags.length * 12);
  table.writeUInt32BE(tags.length, 0);
  const bodies: Buffer[] = [];
  let offset = 128 + table.length;
  tags.forEach(([signature, body], i) => {
    const padded = Buffer.concat([body, Buffer.alloc((4 - (body.length % 4)) % 4)]);
    table.write(signature, 4 + i * 12, "latin1");
    table.writeUInt32BE(offset, 8 + i * 12);
    table.writeUInt32BE(body.length, 12 + i * 12);
    bodies.push(padded);
    offset += padded.length;
  });
  return Buffer.concat([header(offset, spaces), table, ...bodies]);
}

const PNG_HEADER_BYTES = 8 + 25;

/** A PNG with the profile attached, its pixels untouched. `png` must carry none. */
export function withProfile(png: Buffer, profile: Buffer): Buffer {
  const data = Buffer.concat([Buffer.from("profile\0\0", "latin1"), deflateSync(profile)]);
  const body = Buffer.concat([Buffer.from("iCCP", "latin1"), data]);
  const chunk = Buffer.alloc(4 + body.length + 4);
  chunk.writeUInt32BE(data.length, 0);
  body.copy(chunk, 4);
  chunk.writeUInt32BE(crc32(body), 4 + body.length);
  return Buffer.concat([png.subarray(0, PNG_HEADER_BYTES), chunk, png.subarray(PNG_HEADER_BYTES)]);
}

/** sRGB bytes and linear light (0..1): light adds up linearly, so edges and shadows are mixed there. */

const TO_LINEAR = Float32Array.from({ length: 256 }, (_, level) => decode(level / 255));
/** Fine enough that the darkest step of sRGB (1/3294 linear) has several entries. */
const STEPS = 16_384;
const TO_SRGB = Float32Array.from({ length: STEPS + 1 }, (_, step) => 255 * encode(step / STEPS));

function decode(srgb: number): number {
  return srgb <= 0.04045 ? srgb / 12.92 : ((srgb + 0.055) / 1.055) ** 2.4;
}

function encode(linear: number): number {
  return linear <= 0.0031308 ? linear * 12.92 : 1.055 * linear ** (1 / 2.4) - 0.055;
}

/** An sRGB byte as linear light, 0..1. */
export function toLinear(level: number): number {
  return TO_LINEAR[level] ?? 0;
}

/** Linear light (clipped to 0..1) as an sRGB level 0..255, not rounded. */
export function toSrgb(linear: number): number {
  const clipped = linear <= 0 ? 0 : linear >= 1 ? 1 : linear;
  return TO_SRGB[(clipped * STEPS + 0.5) | 0] ?? 255;
}

/** "#rrggbb" as three sRGB bytes. @throws {RangeError} */
export function parseHexColour(hex: string): readonly [number, number, number] {
  if (!/^#[0-9a-fA-F]{6}$/.test(hex)) throw new RangeError(`not a colour like #f4f1ea: "${hex}"`);
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

/** "#rrggbb" in linear light. @throws {RangeError} */
export function linearColour(hex: string): readonly [red: number, green: number, blue: number] {
  const [red, green, blue] = parseHexColour(hex);
  return [toLinear(red), toLinear(green), toLinear(blue)];
}

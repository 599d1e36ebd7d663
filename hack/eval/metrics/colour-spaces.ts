/** CIE XYZ and Lab of levels that need not be whole; how different two of them look is the runner's own measure. */
import type { Lab } from "../../../gpu-runner/pipeline/colour-difference.ts";

/** D65, the white of sRGB. */
const WHITE = [0.95047, 1, 1.08883] as const;

const toLinear = (level: number) => {
  const v = level / 255;
  return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
};

/** XYZ relative to D65 of sRGB levels 0..255. */
export function srgbToXyz([red, green, blue]: readonly number[]): [number, number, number] {
  const [r, g, b] = [toLinear(red ?? 0), toLinear(green ?? 0), toLinear(blue ?? 0)];
  return [
    0.4124564 * r + 0.3575761 * g + 0.1804375 * b,
    0.2126729 * r + 0.7151522 * g + 0.072175 * b,
    0.0193339 * r + 0.119192 * g + 0.9503041 * b,
  ];
}

/** Lab (D65) of sRGB levels 0..255. */
export function srgbToLab(rgb: readonly number[]): Lab {
  const [x, y, z] = srgbToXyz(rgb).map((value, i) => {
    const t = value / (WHITE[i] ?? 1);
    return t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29;
  });
  return [116 * (y ?? 0) - 16, 500 * ((x ?? 0) - (y ?? 0)), 200 * ((y ?? 0) - (z ?? 0))];
}

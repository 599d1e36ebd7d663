/**
 * OKLab (Björn Ottosson, 2020): a space in which equal steps look equally large. Colours are mixed and shifted
 * here where the eye judges the result; light itself adds up in linear RGB.
 */

/** Three linear-light channels, 0..1 where they can be shown. */
export type Colour = readonly [red: number, green: number, blue: number];
/** Lightness 0..1, green to red, blue to yellow. */
export type Oklab = readonly [lightness: number, a: number, b: number];

export function toOklab([r, g, b]: Colour): Oklab {
  const l = Math.cbrt(0.4122214708 * r + 0.5363325363 * g + 0.0514459929 * b);
  const m = Math.cbrt(0.2119034982 * r + 0.6806995451 * g + 0.1073969566 * b);
  const s = Math.cbrt(0.0883024619 * r + 0.2817188376 * g + 0.6299787005 * b);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

/** May leave 0..1 for colours that a screen cannot show. */
function fromOklab([lightness, a, b]: Oklab): Colour {
  const l = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const m = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const s = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  return [
    4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
    -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
  ];
}

/** The colour at `share` (0..1) of the way between two. */
export function mixColours(from: Colour, to: Colour, share: number): Colour {
  const [a, b] = [toOklab(from), toOklab(to)];
  const at = (i: 0 | 1 | 2) => a[i] + (b[i] - a[i]) * share;
  return shown(fromOklab([at(0), at(1), at(2)]));
}

/** The same hue, lighter or darker by `by` (OKLab, -1..1), with `chroma` times its strength. */
export function shade(colour: Colour, by: number, chroma = 1): Colour {
  const [lightness, a, b] = toOklab(colour);
  return shown(fromOklab([Math.min(1, Math.max(0, lightness + by)), a * chroma, b * chroma]));
}

const clip = (value: number) => Math.min(1, Math.max(0, value));
const shown = ([r, g, b]: Colour): Colour => [clip(r), clip(g), clip(b)];

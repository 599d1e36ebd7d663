/** CIE Lab and CIEDE2000 (Sharma, Wu, Dalal 2005): how different two colours look. */
import { toLinear } from "./linear-light.ts";

export type Lab = readonly [l: number, a: number, b: number];

/** D65, the white of sRGB. */
const WHITE = [0.95047, 1, 1.08883] as const;

const response = (t: number) => (t > (6 / 29) ** 3 ? Math.cbrt(t) : t / (3 * (6 / 29) ** 2) + 4 / 29);

/** Lab (D65) of sRGB bytes. */
export function labOf(red: number, green: number, blue: number): Lab {
  const [r, g, b] = [toLinear(red), toLinear(green), toLinear(blue)];
  const x = response((0.4124564 * r + 0.3575761 * g + 0.1804375 * b) / WHITE[0]);
  const y = response(0.2126729 * r + 0.7151522 * g + 0.072175 * b);
  const z = response((0.0193339 * r + 0.119192 * g + 0.9503041 * b) / WHITE[2]);
  return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}

const RADIANS = Math.PI / 180;
const cosine = (degrees: number) => Math.cos(degrees * RADIANS);

function hue(a: number, b: number): number {
  if (a === 0 && b === 0) return 0;
  const angle = Math.atan2(b, a) / RADIANS;
  return angle < 0 ? angle + 360 : angle;
}

/** The signed way round the circle from one hue to another, and the hue in the middle; grey has no hue. */
function hues(from: number, to: number, isGrey: boolean): { step: number; middle: number } {
  if (isGrey) return { step: 0, middle: from + to };
  const step = to - from;
  if (Math.abs(step) <= 180) return { step, middle: (from + to) / 2 };
  const middle = from + to < 360 ? (from + to + 360) / 2 : (from + to - 360) / 2;
  return { step: step > 0 ? step - 360 : step + 360, middle };
}

const damped = (chroma: number) => Math.sqrt(chroma ** 7 / (chroma ** 7 + 25 ** 7));

/** ΔE00 with all weights 1: about 1 is the least difference that is seen. */
export function deltaE00([l1, a1, b1]: Lab, [l2, a2, b2]: Lab): number {
  const stretch = 1 + 0.5 * (1 - damped((Math.hypot(a1, b1) + Math.hypot(a2, b2)) / 2));
  const [x1, x2] = [a1 * stretch, a2 * stretch];
  const [c1, c2] = [Math.hypot(x1, b1), Math.hypot(x2, b2)];
  const { step, middle } = hues(hue(x1, b1), hue(x2, b2), c1 * c2 === 0);
  const light = ((l1 + l2) / 2 - 50) ** 2;
  const chroma = (c1 + c2) / 2;
  const t =
    1 -
    0.17 * cosine(middle - 30) +
    0.24 * cosine(2 * middle) +
    0.32 * cosine(3 * middle + 6) -
    0.2 * cosine(4 * middle - 63);
  const dl = (l2 - l1) / (1 + (0.015 * light) / Math.sqrt(20 + light));
  const dc = (c2 - c1) / (1 + 0.045 * chroma);
  const dh = (2 * Math.sqrt(c1 * c2) * Math.sin((step / 2) * RADIANS)) / (1 + 0.015 * chroma * t);
  const turn = 60 * Math.exp(-(((middle - 275) / 25) ** 2));
  const rotation = -2 * damped(chroma) * Math.sin(turn * RADIANS);
  return Math.sqrt(dl ** 2 + dc ** 2 + dh ** 2 + rotation * dc * dh);
}

/** The value below which 95 % of `count` differences lie, those not listed being 0. Sorts the list. */
export function p95(differences: number[], count: number): number {
  const zeros = count - differences.length;
  const rank = Math.ceil(0.95 * count) - 1 - zeros;
  if (rank < 0) return 0;
  return differences.sort((a, b) => a - b)[rank] ?? 0;
}

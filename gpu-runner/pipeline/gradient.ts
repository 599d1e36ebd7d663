import { linearColour } from "./linear-light.ts";
import type { Size } from "./layout.ts";
import { mixColours } from "./oklab.ts";
import type { LinearRgb } from "./studio-set.ts";

export interface GradientRules {
  /** "#rrggbb" at its start and end. */
  readonly from: string;
  readonly to: string;
  readonly kind: "linear" | "radial";
  /** 0 to the right, 90 downwards; linear only. */
  readonly angleDegrees: number;
  /** Where a radial one starts, in pixels. */
  readonly centre: { readonly x: number; readonly y: number };
}

const STEPS = 2048;

/** Share of the way, 0..1, at a pixel: corner to corner along the angle, or from the centre to the far corner. */
function wayOf({ width, height }: Size, rules: GradientRules): (x: number, y: number) => number {
  if (rules.kind === "radial") {
    const { x: cx, y: cy } = rules.centre;
    const far = Math.hypot(Math.max(cx, width - cx), Math.max(cy, height - cy));
    return (x, y) => Math.hypot(x - cx, y - cy) / far;
  }
  const angle = (rules.angleDegrees * Math.PI) / 180;
  const [cos, sin] = [Math.cos(angle), Math.sin(angle)];
  const length = Math.abs(cos) * width + Math.abs(sin) * height;
  return (x, y) => 0.5 + ((x - width / 2) * cos + (y - height / 2) * sin) / length;
}

/** A gradient in even steps to the eye (OKLab). It shows no bands once it is rounded with grain. */
export function makeGradient(size: Size, rules: GradientRules): LinearRgb {
  const [from, to] = [linearColour(rules.from), linearColour(rules.to)];
  const table = new Float32Array((STEPS + 1) * 3);
  for (let step = 0; step <= STEPS; step++) table.set(mixColours(from, to, step / STEPS), step * 3);
  const way = wayOf(size, rules);
  const data = new Float32Array(size.width * size.height * 3);
  for (let y = 0, i = 0; y < size.height; y++) {
    for (let x = 0; x < size.width; x++) {
      const at = 3 * Math.round(STEPS * Math.min(1, Math.max(0, way(x + 0.5, y + 0.5))));
      for (let c = 0; c < 3; c++) data[i++] = table[at + c] ?? 0;
    }
  }
  return { ...size, data };
}

/**
 * Patterns that a photographer holds into the sun: a window's panes, or twigs. A point of wall or floor is looked
 * up along the light's direction, so the pattern bends from floor to wall where they meet.
 */
import { randomAt } from "./noise.ts";
import { smoothStep } from "./noise-table.ts";

/** How much of the sun reaches a point, 0..1. `x` right, `y` up, `z` away from the camera; 0 at the product's foot. */
export type Gobo = (x: number, y: number, z: number) => number;

/** Height of the sun over the horizon. */
const ELEVATION = (40 * Math.PI) / 180;
const [CH, SH] = [Math.cos(ELEVATION), Math.sin(ELEVATION)];

/** Coordinates across the light whose shadows fall towards `degrees` (0 right, 90 to the viewer). */
function acrossLight(degrees: number): (x: number, y: number, z: number) => readonly [number, number] {
  const [cos, sin] = [Math.cos((degrees * Math.PI) / 180), Math.sin((degrees * Math.PI) / 180)];
  return (x, y, z) => [x * sin + z * cos, SH * cos * x + CH * y - SH * sin * z];
}

/** 1 inside [from, to], soft at its ends. */
const band = (value: number, from: number, to: number, soft: number) =>
  smoothStep(from - soft, from + soft, value) * (1 - smoothStep(to - soft, to + soft, value));

/** A window of three by three panes; the product stands in one of its lower panes' light. */
export function windowGobo(seed: number, degrees: number): Gobo {
  const across = acrossLight(degrees);
  const [pane, bar, soft] = [0.66, 0.07, 0.03];
  const shift = -0.62 * pane + 0.1 * (randomAt(seed, 7, 1) - 0.5);
  const rise = -0.42 * pane + 0.1 * (randomAt(seed, 7, 2) - 0.5);
  return (x, y, z) => {
    const [a, b] = across(x, y, z);
    let light = 0;
    for (let column = 0; column < 3; column++) {
      const left = shift + column * (pane + bar);
      const inColumn = band(a, left, left + pane, soft);
      if (inColumn === 0) continue;
      for (let row = 0; row < 3; row++) {
        const low = rise + row * (pane * 0.8 + bar);
        light += inColumn * band(b, low, low + pane * 0.8, soft);
      }
    }
    return Math.min(1, light);
  };
}

const SIDE = 320;
/** Units that the pattern of twigs covers. */
const SPAN = 4.6;

interface Blade {
  readonly x: number;
  readonly y: number;
  readonly angle: number;
  readonly length: number;
  readonly width: number;
}

/** The light that a leaf of pointed oval shape leaves, multiplied into `mask`. */
function drawBlade(mask: Float32Array, blade: Blade): void {
  const [cos, sin] = [Math.cos(blade.angle), Math.sin(blade.angle)];
  const reach = Math.ceil(blade.length) + 3;
  const [cx, cy] = [blade.x + (cos * blade.length) / 2, blade.y + (sin * blade.length) / 2];
  for (let y = Math.max(0, Math.floor(cy - reach)); y < Math.min(SIDE, cy + reach); y++) {
    for (let x = Math.max(0, Math.floor(cx - reach)); x < Math.min(SIDE, cx + reach); x++) {
      const along = ((x - blade.x) * cos + (y - blade.y) * sin) / blade.length;
      if (along < 0 || along > 1) continue;
      const half = blade.width * Math.sin(Math.PI * along ** 0.8);
      const aside = Math.abs((y - blade.y) * cos - (x - blade.x) * sin);
      const shade = smoothStep(half + 1, half - 1, aside);
      const at = y * SIDE + x;
      mask[at] = (mask[at] ?? 1) * (1 - 0.9 * shade);
    }
  }
}

/** Light through three palm fronds that hang into the picture from above, 1 in the open. */
function frondMask(seed: number): Float32Array {
  const mask = new Float32Array(SIDE * SIDE).fill(1);
  for (let frond = 0; frond < 3; frond++) {
    const random = (n: number) => randomAt(seed, frond * 64 + 9, n);
    let [x, y] = [SIDE * (0.06 + 0.33 * frond + 0.1 * random(1)), SIDE * (0.02 + 0.1 * random(2))];
    let angle = 0.55 + 0.75 * random(3);
    const steps = 13;
    for (let step = 0; step < steps; step++) {
      const size = Math.sin(Math.PI * Math.min(1, 0.16 + (0.88 * step) / steps));
      for (const side of [-1, 1]) {
        const lean = side * (0.62 + 0.25 * randomAt(seed, step * 2 + side, frond));
        const length = 56 * size * (0.75 + 0.5 * random(step * 2 + side + 20));
        drawBlade(mask, { x, y, angle: angle + lean, length, width: 3.1 * (0.7 + 0.5 * size) });
      }
      drawBlade(mask, { x, y, angle, length: 14, width: 1.3 });
      x += Math.cos(angle) * 12;
      y += Math.sin(angle) * 12;
      angle += 0.055 * (frond % 2 === 0 ? 1 : -0.4);
    }
  }
  return mask;
}

/** Every value becomes the mean of its surroundings, twice: what is further from the wall throws softer shadows. */
function softened(mask: Float32Array, radius: number): Float32Array {
  const pass = (from: Float32Array, step: number, other: number) => {
    const to = new Float32Array(from.length);
    for (let line = 0; line < SIDE; line++) {
      for (let i = 0; i < SIDE; i++) {
        let sum = 0;
        for (let k = -radius; k <= radius; k++) {
          sum += from[line * other + Math.min(SIDE - 1, Math.max(0, i + k)) * step] ?? 1;
        }
        to[line * other + i * step] = sum / (2 * radius + 1);
      }
    }
    return to;
  };
  let out = mask;
  for (let n = 0; n < 2; n++) out = pass(pass(out, 1, SIDE), SIDE, 1);
  return out;
}

/** Palm fronds in the sun. */
export function leafGobo(seed: number, degrees: number): Gobo {
  const across = acrossLight(degrees);
  const mask = softened(frondMask(seed), 2);
  return (x, y, z) => {
    const [a, b] = across(x, y, z);
    const column = Math.min(SIDE - 2, Math.max(0, (a / SPAN + 0.5) * SIDE));
    const row = Math.min(SIDE - 2, Math.max(0, (0.42 - b / SPAN) * SIDE));
    const [c, r] = [Math.floor(column), Math.floor(row)];
    const [u, v] = [column - c, row - r];
    const at = r * SIDE + c;
    const top = (mask[at] ?? 1) * (1 - u) + (mask[at + 1] ?? 1) * u;
    const bottom = (mask[at + SIDE] ?? 1) * (1 - u) + (mask[at + SIDE + 1] ?? 1) * u;
    return top * (1 - v) + bottom * v;
  };
}

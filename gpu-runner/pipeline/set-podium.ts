/** A round podium under the product: a lit top, a side that turns from light to shade, its shadow on the floor. */
import { CAMERA_DISTANCE, CAMERA_HEIGHT } from "./camera.ts";
import type { Colour } from "./oklab.ts";
import { noiseAt, makeNoiseTable, smoothStep } from "./noise-table.ts";
import { floorDistance, floorRowAt, type View } from "./set-view.ts";

export interface Podium {
  readonly colour: Colour;
  readonly radius: number;
  /** Where its axis stands: units to the right of the product's foot and behind it. */
  readonly x: number;
  readonly z: number;
  /** Heights of top and foot over the ground on which the product stands; the top of the product's own is at 0. */
  readonly top: number;
  readonly foot: number;
}

/** Linear RGB that is painted on, and its size. */
export interface Canvas {
  readonly width: number;
  readonly height: number;
  readonly data: Float32Array;
}

export interface PodiumLight {
  readonly side: 1 | -1;
  readonly seed: number;
  /** Light on a level place, three floats. */
  readonly at: (x: number, z: number, out: Float32Array) => void;
}

/** Light left on the floor round a podium: its cast shadow, and the dim ring where it stands. */
export function podiumShade(podium: Podium, side: 1 | -1): (x: number, z: number) => number {
  const height = podium.top - podium.foot;
  const [castX, castZ] = [podium.x + 0.75 * side * height, podium.z + 0.18 * height];
  return (x, z) => {
    const cast = Math.hypot(x - castX, z - castZ) / podium.radius;
    const ring = Math.hypot(x - podium.x, z - podium.z) / podium.radius;
    return (
      (1 - 0.42 * smoothStep(1.3, 0.8, cast)) *
      (1 - 0.3 * smoothStep(1.3, 1, ring)) *
      (1 - 0.35 * smoothStep(1.06, 1, ring))
    );
  };
}

function blend(canvas: Canvas, pixel: number, colour: ArrayLike<number>, share: number): void {
  for (let c = 0; c < 3; c++) {
    const at = pixel * 3 + c;
    const behind = canvas.data[at] ?? 0;
    canvas.data[at] = behind + ((colour[c] ?? 0) - behind) * share;
  }
}

const clip = (value: number) => Math.min(1, Math.max(0, value));

/** How much of a pixel of the picture the podium's top covers, 0..1. */
export function topCoverage(view: View, podium: Podium): (x: number, y: number) => number {
  return (x, y) => {
    const distance = floorDistance(view, y, -podium.top);
    if (!Number.isFinite(distance)) return 0;
    const du = distance / (CAMERA_DISTANCE * view.unit);
    const dv = (du * distance) / (CAMERA_HEIGHT - podium.top);
    const [dx, dz] = [(x + 0.5 - view.footX) * du - podium.x, distance - CAMERA_DISTANCE - podium.z];
    const away = Math.hypot(dx, dz);
    const pixel = away === 0 ? du : Math.hypot((dx / away) * du, (dz / away) * dv);
    return clip((podium.radius - away) / pixel + 0.5);
  };
}

/** Width of the turn from light to shade on a podium's side, in the key's own strength. */
const TERMINATOR = 0.16;

/** The side's light at `s` (-1 left to 1 right): from the key, round the front, to the shaded side. */
function sideLight(s: number, side: 1 | -1): number {
  const front = Math.sqrt(1 - s * s);
  const facing = -0.8 * s * side + 0.45 * front;
  // A softbox has width: the light ends slowly, and no line stands where the side turns away from it.
  const key = 0.5 * (facing + Math.sqrt(facing * facing + TERMINATOR ** 2));
  const rim = 0.1 * Math.max(0, s * side) ** 6;
  return 0.35 + 0.5 * key + rim;
}

function paintSide(canvas: Canvas, view: View, podium: Podium, light: PodiumLight): void {
  const axis = CAMERA_DISTANCE + podium.z;
  const perUnit = (view.unit * CAMERA_DISTANCE) / axis;
  const [middle, half] = [view.footX + podium.x * perUnit, podium.radius * perUnit];
  const table = makeNoiseTable(light.seed + 61);
  const soft = 1 + 0.5 * view.unit * 0.05 * Math.abs(axis - CAMERA_DISTANCE);
  for (let x = Math.max(0, Math.floor(middle - half)); x < Math.min(view.width, middle + half + 1); x++) {
    const s = Math.min(0.9999, Math.max(-0.9999, (x + 0.5 - middle) / half));
    const edge = clip((half - Math.abs(x + 0.5 - middle)) / soft + 0.5);
    const distance = axis - podium.radius * Math.sqrt(1 - s * s);
    const [top, foot] = [floorRowAt(view, distance, -podium.top), floorRowAt(view, distance, -podium.foot)];
    const shade = sideLight(s, light.side);
    const turn = Math.asin(s) * podium.radius;
    for (let y = Math.max(0, Math.floor(top)); y < Math.min(view.height, Math.ceil(foot)); y++) {
      const up = (foot - y) / perUnit;
      const down = (y - top) / perUnit;
      const ground = 1 - 0.22 * Math.exp(-up / 0.1) + 0.05 * Math.exp(-up / 0.5);
      const rim = 0.1 * Math.exp(-((down / 0.008) ** 2));
      const mottle = 0.02 * noiseAt(table, turn * 7, down * 9) + 0.015 * noiseAt(table, turn * 60, down * 60);
      const level = (shade + rim) * ground * (1 + mottle);
      const colour = [
        podium.colour[0] * level * 1.02,
        podium.colour[1] * level,
        podium.colour[2] * level * 0.97,
      ];
      blend(canvas, y * view.width + x, colour, edge * clip(foot - y) * clip(y + 1 - top));
    }
  }
}

function paintTop(canvas: Canvas, view: View, podium: Podium, light: PodiumLight): void {
  const cover = topCoverage(view, podium);
  const first = Math.floor(floorRowAt(view, CAMERA_DISTANCE + podium.z + podium.radius, -podium.top)) - 1;
  const last = Math.ceil(floorRowAt(view, CAMERA_DISTANCE + podium.z - podium.radius, -podium.top)) + 1;
  const table = makeNoiseTable(light.seed + 62);
  const colour = new Float32Array(3);
  for (let y = Math.max(0, first); y < Math.min(view.height, last); y++) {
    const distance = floorDistance(view, y, -podium.top);
    const du = distance / (CAMERA_DISTANCE * view.unit);
    const z = distance - CAMERA_DISTANCE;
    for (let x = 0; x < view.width; x++) {
      const share = cover(x, y);
      if (share === 0) continue;
      const across = (x + 0.5 - view.footX) * du;
      light.at(across, z, colour);
      const mottle =
        1.1 + 0.02 * noiseAt(table, across * 6, z * 6) + 0.012 * noiseAt(table, across * 50, z * 50);
      for (let c = 0; c < 3; c++) colour[c] = (colour[c] ?? 0) * (podium.colour[c] ?? 0) * mottle;
      blend(canvas, y * view.width + x, colour, share);
    }
  }
}

export function paintPodium(canvas: Canvas, view: View, podium: Podium, light: PodiumLight): void {
  paintSide(canvas, view, podium, light);
  paintTop(canvas, view, podium, light);
}

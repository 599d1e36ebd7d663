/** Shadows that fall away from what throws them. */
import { softBlur } from "./blur.ts";
import { FLOOR_SQUASH } from "./camera.ts";
import type { Foot } from "./pose.ts";
import { newPlane, type Plane } from "./raster.ts";
import type { Scaled, ShadowLook } from "./shadow-look.ts";

const SLICES = 14;
/** Products are taken to be as deep as wide, up to this share of the measure. */
const MAX_DEPTH = 0.26;

interface Run {
  readonly from: number;
  readonly to: number;
}

/** The stretches of a row that are solid. */
function runsOf({ solid }: Scaled, y: number): Run[] {
  const runs: Run[] = [];
  let from = -1;
  for (let x = 0; x <= solid.width; x++) {
    const isSolid = x < solid.width && (solid.data[y * solid.width + x] ?? 0) > 0.5;
    if (isSolid && from < 0) from = x;
    if (isSolid || from < 0) continue;
    runs.push({ from, to: x });
    from = -1;
  }
  return runs;
}

interface Ellipse {
  readonly x: number;
  readonly y: number;
  readonly radiusX: number;
  readonly radiusY: number;
}

function fillEllipse(plane: Plane, { x, y, radiusX, radiusY }: Ellipse): void {
  const first = Math.max(0, Math.round(y - radiusY));
  const last = Math.min(plane.height - 1, Math.round(y + radiusY));
  for (let row = first; row <= last; row++) {
    const share = (row - y) / Math.max(0.5, radiusY);
    const half = radiusX * Math.sqrt(Math.max(0, 1 - share * share));
    const from = Math.max(0, Math.round(x - half));
    const to = Math.min(plane.width, Math.round(x + half));
    if (to > from) plane.data.fill(1, row * plane.width + from, row * plane.width + to);
  }
}

/** How far a height's shadow is moved on the picture, for one pixel of height. */
function stepOf({ directionDegrees, reach }: ShadowLook) {
  const angle = (directionDegrees * Math.PI) / 180;
  return { x: reach * Math.cos(angle), y: FLOOR_SQUASH * reach * Math.sin(angle) };
}

/** Where on the floor, and how high over it, a run stands: rows of the picture. */
interface Stand {
  /** The row of the floor under its middle. */
  readonly floor: number;
  readonly height: number;
  readonly radiusY: number;
}

/** A run belongs to the feet under it, this share of the measure beside it counted, or to the nearest one. */
const UNDER = 0.02;

function feetUnder({ base, measure }: Scaled, { from, to }: Run): readonly Foot[] {
  const beside = UNDER * measure;
  const under = base.feet.filter(({ left, right }) => left < to + beside && right > from - beside);
  if (under.length > 0) return under;
  const middle = (from + to) / 2;
  const away = ({ left, right }: Foot) => Math.max(left - middle, middle - right);
  return [...base.feet].sort((a, b) => away(a) - away(b)).slice(0, 1);
}

/**
 * One foot carries all of a product. Legs stand at different depths: each throws its shadow from its own foot, and
 * what rests on several lies over the middle of theirs, as deep as they stand apart.
 */
function standOf(scaled: Scaled, run: Run, y: number): Stand {
  const { base, measure } = scaled;
  const depthOf = (width: number) => FLOOR_SQUASH * Math.min(width / 2, MAX_DEPTH * measure);
  const radiusY = depthOf(run.to - run.from);
  if (base.feet.length < 2) {
    return { floor: base.ground - depthOf(base.right - base.left), height: base.ground - y, radiusY };
  }
  const grounds = feetUnder(scaled, run).map(({ ground }) => ground);
  const [front, back] = [Math.max(...grounds), Math.min(...grounds)];
  const apart = (front - back) / 2;
  const floor = front - Math.max(apart, radiusY);
  return { floor, height: Math.max(0, front - apart - y), radiusY: Math.max(apart, radiusY) };
}

/** The rows of a part of the height, each as the ellipse that a body of revolution of its width lays on the floor. */
function laySlice(scaled: Scaled, look: ShadowLook, [low, high]: readonly [number, number]): Plane {
  const { solid, base } = scaled;
  const laid = newPlane(solid.width, solid.height);
  const step = stepOf(look);
  for (let up = low; up <= high; up++) {
    const y = base.ground - up;
    if (y < 0) break;
    for (const run of runsOf(scaled, y)) {
      const { floor, height, radiusY } = standOf(scaled, run, y);
      fillEllipse(laid, {
        x: (run.from + run.to) / 2 + step.x * height,
        y: floor + step.y * height,
        radiusX: (run.to - run.from) / 2,
        radiusY,
      });
    }
  }
  return laid;
}

/** 0..1. Slices overlap, so that no gap opens between two of them. */
export function castShadow(scaled: Scaled, look: ShadowLook): Plane {
  const { solid, base, measure } = scaled;
  const out = newPlane(solid.width, solid.height);
  const tall = base.ground + 1;
  for (let slice = 0; slice < SLICES; slice++) {
    const height = (slice + 0.5) / SLICES;
    const low = Math.max(0, Math.floor(((slice - 0.5) / SLICES) * tall));
    const laid = laySlice(scaled, look, [low, Math.ceil(((slice + 1.5) / SLICES) * tall)]);
    const soft = softBlur(
      laid,
      (0.009 + 0.055 * height * look.softness) * measure * Math.min(1, 0.15 + look.softness),
      (0.005 + 0.018 * height * look.softness) * measure * Math.min(1, 0.15 + look.softness),
    );
    const strength = Math.max(0, 1 - height) ** (0.55 + 0.35 * look.softness);
    for (let i = 0; i < out.data.length; i++) {
      const here = strength * (soft.data[i] ?? 0);
      if (here > (out.data[i] ?? 0)) out.data[i] = here;
    }
  }
  // Even the hardest edge is softer than the steps of the small picture in which it is worked out.
  return softBlur(
    out,
    Math.max(1, 0.008 * measure * look.softness),
    Math.max(0.8, 0.005 * measure * look.softness),
  );
}

/** The plane moved by whole pixels. */
function moved(plane: Plane, dx: number, dy: number): Plane {
  const out = newPlane(plane.width, plane.height);
  for (let y = Math.max(0, dy); y < Math.min(plane.height, plane.height + dy); y++) {
    for (let x = Math.max(0, dx); x < Math.min(plane.width, plane.width + dx); x++) {
      out.data[y * plane.width + x] = plane.data[(y - dy) * plane.width + x - dx] ?? 0;
    }
  }
  return out;
}

/** What lies is seen from above: its shadow shows beside it, by its thickness. 0..1 */
export function dropShadow({ solid, measure }: Scaled, look: ShadowLook, part: "contact" | "cast"): Plane {
  const thickness = part === "contact" ? 0.012 : 0.15 * look.reach;
  const angle = (look.directionDegrees * Math.PI) / 180;
  const shift = thickness * measure;
  const there = moved(solid, Math.round(Math.cos(angle) * shift), Math.round(Math.sin(angle) * shift));
  const sigma = (part === "contact" ? 0.007 : 0.026) * measure * (0.15 + 0.85 * look.softness);
  return softBlur(there, sigma);
}

/** The pale spot on a floor `gap` measures below a product that floats. 0..1 */
export function floorShadow({ solid, base, measure }: Scaled, look: ShadowLook, gap: number): Plane {
  const out = newPlane(solid.width, solid.height);
  let [left, right] = [solid.width, 0];
  for (let y = 0; y <= base.ground; y++) {
    for (let x = 0; x < solid.width; x++) {
      if ((solid.data[y * solid.width + x] ?? 0) <= 0.5) continue;
      left = Math.min(left, x);
      right = Math.max(right, x + 1);
    }
  }
  const radiusX = 0.42 * (right - left);
  const radiusY = FLOOR_SQUASH * Math.min(radiusX, MAX_DEPTH * measure * 1.6);
  fillEllipse(out, {
    x: (left + right) / 2 + stepOf(look).x * gap * measure,
    y: base.ground + gap * measure - radiusY,
    radiusX,
    radiusY,
  });
  const soft = 0.04 + 0.05 * look.softness;
  return softBlur(out, soft * measure, 0.35 * soft * measure);
}

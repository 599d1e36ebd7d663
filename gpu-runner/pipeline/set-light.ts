/**
 * The light on a set's floor and wall: a large soft key from one side with a pool behind the product, cool light
 * from all round, less of it where floor and wall meet, and what a gobo, folds or a podium change of it.
 */
import type { Gobo } from "./set-gobo.ts";
import { smoothStep } from "./noise-table.ts";
import type { Tone } from "./set-tone.ts";

export interface SetLight {
  /** +1 lit from the left, -1 from the right. */
  readonly side: 1 | -1;
  /** How far behind the product's foot the wall stands, in units. */
  readonly wall: number;
  /** How far below the product's foot the floor lies. */
  readonly drop: number;
  /** A paper that bends from floor to wall, or two surfaces that meet in an edge. */
  readonly corner: "bent" | "edge";
  readonly gobo?: Gobo | undefined;
  /** Of the wall, `v` its height over the floor; of the floor, `v` away from the camera; 0 at the foot. */
  readonly wallTone?: Tone | undefined;
  readonly floorTone?: Tone | undefined;
  /** What stands on the floor and keeps light away: light left at a place of the floor. */
  readonly standing?: ((x: number, z: number) => number) | undefined;
}

/** Sun and sky as they tint white paper. */
const SUN = [1.04, 1, 0.945] as const;
const SKY = [0.965, 1, 1.05] as const;
const LATE_SUN = [1.1, 1.0, 0.83] as const;

/** Levels of key and surrounding light at a place. */
interface Levels {
  readonly key: number;
  readonly around: number;
}

function wallLevels({ side, corner }: SetLight, x: number, y: number): Levels {
  const pool = Math.exp(-(((x + 0.45 * side) / 1.5) ** 2) - ((y - 0.75) / 1.15) ** 2);
  const corners = corner === "edge" ? 1 - 0.3 * Math.exp(-y / 0.3) - 0.12 * Math.exp(-y / 0.05) : 1;
  const high = 1 - 0.1 * smoothStep(1.3, 3.2, y);
  return { key: (0.26 + 0.42 * pool) * high * (0.4 + 0.6 * corners), around: 0.4 * corners };
}

function floorLevels({ side, wall, corner }: SetLight, x: number, z: number): Levels {
  const pool = Math.exp(-(((x + 0.2 * side) / 1.5) ** 2) - ((z - 0.1) / 1.6) ** 2);
  const near = 1 - 0.16 * smoothStep(0.2, 2.2, -z);
  const gap = Math.max(0, wall - z);
  const corners = corner === "edge" ? 1 - 0.26 * Math.exp(-gap / 0.4) - 0.1 * Math.exp(-gap / 0.07) : 1;
  return { key: (0.4 + 0.24 * pool) * near, around: 0.36 * corners };
}

function write({ key, around }: Levels, sun: readonly number[], out: Float32Array, at: number): void {
  for (let c = 0; c < 3; c++) out[at + c] = key * (sun[c] ?? 0) + around * (SKY[c] ?? 0);
}

const mixed = (a: Levels, b: Levels, t: number): Levels => ({
  key: a.key + (b.key - a.key) * t,
  around: a.around + (b.around - a.around) * t,
});

/** In the shadow of a gobo the sun is gone; its light is stronger than a studio's where it falls. */
function sunned(light: SetLight, levels: Levels, reach: number): { levels: Levels; sun: readonly number[] } {
  if (!light.gobo) return { levels, sun: SUN };
  return {
    levels: { key: levels.key * (0.12 + 1.12 * reach), around: levels.around * 0.86 },
    sun: LATE_SUN,
  };
}

/** The cloth's or paper's bend: 0 on the floor, 1 on the wall; `s` counts from where they would meet. */
const bend = (s: number) => smoothStep(-0.8, 0.75, s);

/** Light on the wall at x and y units from the product's foot, three floats from `at`. */
export function lightWall(light: SetLight, [x, y]: readonly [number, number], out: Float32Array, at: number) {
  const height = y + light.drop;
  let levels = wallLevels(light, x, height);
  if (light.corner === "bent") levels = mixed(floorLevels(light, x, light.wall), levels, bend(height));
  const { levels: lit, sun } = sunned(light, levels, light.gobo?.(x, y, light.wall) ?? 1);
  write(lit, sun, out, at);
  scale(out, at, light.wallTone?.(x, height) ?? 1);
}

/** Light on the floor at x and z units from the product's foot. */
export function lightFloor(
  light: SetLight,
  [x, z]: readonly [number, number],
  out: Float32Array,
  at: number,
) {
  let levels = floorLevels(light, x, z);
  if (light.corner === "bent") levels = mixed(levels, wallLevels(light, x, 0), bend(z - light.wall));
  const { levels: lit, sun } = sunned(light, levels, light.gobo?.(x, -light.drop, z) ?? 1);
  write(lit, sun, out, at);
  scale(out, at, (light.floorTone?.(x, z) ?? 1) * (light.standing?.(x, z) ?? 1));
}

/** Light on a table seen from above: it falls off across the picture, away from the key. */
export function lightTop(light: SetLight, [x, z]: readonly [number, number], out: Float32Array, at: number) {
  const pool = Math.exp(-(((x + 0.35 * light.side) / 1.9) ** 2) - ((z - 0.3) / 1.9) ** 2);
  const levels = { key: 0.34 + 0.3 * pool, around: 0.36 };
  const { levels: lit, sun } = sunned(light, levels, light.gobo?.(x, 0, z) ?? 1);
  write(lit, sun, out, at);
  scale(out, at, light.floorTone?.(x, z) ?? 1);
}

function scale(out: Float32Array, at: number, by: number): void {
  if (by !== 1) for (let c = at; c < at + 3; c++) out[c] = (out[c] ?? 0) * by;
}

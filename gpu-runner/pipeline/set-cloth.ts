/**
 * The folds of a cloth that is hung behind a product and laid out under it: pleats that fall and lean, with round
 * backs and pinched valleys; below, long wrinkles that run out. Where it turns up, one goes over into the other.
 */
import { makeNoiseTable, noiseAt, type NoiseTable, smoothStep } from "./noise-table.ts";
import type { Tone } from "./set-tone.ts";

/** Rounds the bottom of a valley: noise that crosses 0 makes a ridge on both sides of a crease. */
const ridged = (value: number, roundness: number) => Math.sqrt(value * value + roundness) - 1;

/** Pleats: about two a unit, none like the next, fading in and out along their length. */
function pleats(table: NoiseTable, u: number, v: number): number {
  const lean = 0.5 * noiseAt(table, u * 0.45 + 5, v * 0.3) + 0.2 * v;
  const x = u + lean;
  const wide = ridged(noiseAt(table, x * 1.5, v * 0.14 + 2), 0.012);
  const narrow = ridged(noiseAt(table, x * 3.3 + 40, v * 0.22), 0.02);
  return 0.2 * wide + 0.055 * narrow;
}

/** Wrinkles: long, shallow, across one another; the flattest light shows them. */
function wrinkles(table: NoiseTable, u: number, v: number): number {
  const bend = 0.5 * noiseAt(table, u * 0.6, v * 0.6 + 9);
  const long = ridged(
    noiseAt(table, (0.83 * u - 0.55 * v + bend) * 1.25 + 20, (0.55 * u + 0.83 * v) * 0.42),
    0.006,
  );
  const across = ridged(
    noiseAt(table, (0.62 * u + 0.78 * v + bend) * 1.7 + 60, (0.78 * u - 0.62 * v) * 0.5),
    0.01,
  );
  const fine = noiseAt(table, (u + 0.5 * v + bend) * 4.6, (v - 0.4 * u) * 2.2 + 30);
  return 0.13 * long + 0.075 * across + 0.006 * fine;
}

/** Height of the cloth over its plane; `floor` is where it turns up the wall. */
function heightAt(table: NoiseTable, u: number, v: number, floor: number): number {
  const hanging = smoothStep(-0.7, 0.7, v - floor);
  const [low, high] = [
    hanging < 1 ? wrinkles(table, u, v) : 0,
    hanging > 0 ? pleats(table, u, v - floor) : 0,
  ];
  return low + (high - low) * hanging;
}

/** Half the distance over which slopes are taken, in units: folds are no sharper than thick cloth. */
const REACH = 0.012;
/** Steepest slope of the key's light, and how much of the light comes from it alone. */
const KEY = 0.6;
/** How deep valleys lie in shade. */
const VALLEYS = 1.3;

/** Light on a folded cloth. `u`, `v` run over the whole cloth; `floor` is where it turns up the wall. */
export function folds(seed: number, side: 1 | -1, floor: number): Tone {
  const table = makeNoiseTable(seed + 29);
  return (u, v) => {
    const here = heightAt(table, u, v, floor);
    // The key stands at one side and above: what rises away from it is in the light.
    const across = (heightAt(table, u + side * REACH, v, floor) - here) / REACH;
    const up = (heightAt(table, u, v + REACH, floor) - here) / REACH;
    const slope = across - 0.45 * up;
    const lit = 1 + (KEY * slope) / Math.hypot(1, 1.4 * slope);
    return Math.max(0.35, lit) * Math.exp(VALLEYS * Math.min(0, here + 0.04));
  };
}

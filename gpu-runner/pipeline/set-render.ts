/** Paints a set: each row of pixels sees one row of wall, floor or board; podiums are painted over. */
import { CAMERA_DISTANCE, CAMERA_HEIGHT } from "./camera.ts";
import type { Colour } from "./oklab.ts";
import { type SetLight, lightFloor, lightTop, lightWall } from "./set-light.ts";
import { gridRow, makeLightGrid, shadeRow } from "./set-light-grid.ts";
import type { Material } from "./set-material.ts";
import { type Canvas, paintPodium, type Podium, topCoverage } from "./set-podium.ts";
import {
  defocus,
  floorDistance,
  floorRow,
  floorRowAt,
  heightAt,
  topRow,
  type View,
  wallRow,
} from "./set-view.ts";

/** A board in front of the wall on which the product stands, and under which the wall goes on. */
export interface Shelf {
  readonly face: Material;
  /** How far it reaches in front of the product's foot, and how thick it is, in units. */
  readonly front: number;
  readonly thickness: number;
}

export interface SetRecipe {
  readonly floor: Material;
  readonly wall: Material;
  readonly light: SetLight;
  /** How much of the wall a floor mirrors, 0 matt to 1 a mirror; more at a low angle. */
  readonly gloss: number;
  readonly wallTone: Colour;
  /** Back to front; the last one is the product's own when its top is at 0. */
  readonly podiums: readonly Podium[];
  readonly shelf?: Shelf | undefined;
  readonly seed: number;
}

export interface RenderedSet extends Canvas {
  /** How much of a pixel can be in the product's shadow, 0..1; without it, all. */
  readonly receives?: ((x: number, y: number) => number) | undefined;
}

type Part = "wall" | "floor" | "face" | "below" | "top";

/** Which part of the set each row shows, from the rows at which they change. */
function partsOf(view: View, { light, shelf }: SetRecipe): (y: number) => Part {
  if (view.from === "top") return () => "top";
  const crease = floorRowAt(view, CAMERA_DISTANCE + light.wall, light.drop);
  if (!shelf) return (y) => (y + 0.5 < crease ? "wall" : "floor");
  const near = CAMERA_DISTANCE - shelf.front;
  const edge = floorRowAt(view, near, 0);
  const under = floorRowAt(view, near, shelf.thickness);
  return (y) => (y + 0.5 < crease ? "wall" : y + 0.5 < edge ? "floor" : y + 0.5 < under ? "face" : "below");
}

/** How much a floor mirrors at a distance (Schlick's formula for glass-like coats). */
function mirroring(distance: number, drop: number): number {
  const height = CAMERA_HEIGHT + drop;
  return 0.04 + 0.96 * (1 - height / Math.hypot(height, distance)) ** 5;
}

/** Light and mirrored light at a pixel, six floats from `at`. */
function lightAt(view: View, recipe: SetRecipe, part: Part) {
  const { light, gloss, wallTone, shelf } = recipe;
  const far = CAMERA_DISTANCE + light.wall;
  const units = (x: number, distance: number) =>
    ((x + 0.5 - view.footX) * distance) / (CAMERA_DISTANCE * view.unit);
  const mirror = (x: number, distance: number, out: Float32Array, at: number) => {
    const share = gloss * mirroring(distance, light.drop);
    const height = ((CAMERA_HEIGHT + light.drop) * (far - distance)) / distance - light.drop;
    lightWall(light, [(units(x, distance) * far) / distance, height], out, at + 3);
    for (let c = 0; c < 3; c++) {
      out[at + c] = (out[at + c] ?? 0) * (1 - share);
      out[at + 3 + c] = (out[at + 3 + c] ?? 0) * (wallTone[c] ?? 0) * share;
    }
  };
  return (x: number, y: number, out: Float32Array, at: number): void => {
    switch (part) {
      case "top":
        return lightTop(light, [(x + 0.5 - view.footX) / view.unit, (view.footY - y) / view.unit], out, at);
      case "wall":
        return lightWall(light, [units(x, far), Math.max(-light.drop, heightAt(view, y, far))], out, at);
      case "floor": {
        const distance = Math.min(far, floorDistance(view, y, light.drop));
        lightFloor(light, [units(x, distance), distance - CAMERA_DISTANCE], out, at);
        if (gloss > 0) mirror(x, distance, out, at);
        return;
      }
      case "face":
        lightFloor(light, [units(x, CAMERA_DISTANCE), 0], out, at);
        return dim(out, at, 0.66);
      case "below": {
        const height = heightAt(view, y, far);
        lightWall(light, [units(x, far), 0.5], out, at);
        const under = Math.max(0, -height - (shelf?.thickness ?? 0));
        return dim(out, at, 0.9 - 0.5 * Math.exp(-under / 0.4));
      }
      default:
        return part satisfies never;
    }
  };
}

function dim(out: Float32Array, at: number, by: number): void {
  for (let c = at; c < at + 3; c++) out[c] = (out[c] ?? 0) * by;
}

/** What a row of pixels sees, and of which material it is. */
function surfaceOf(view: View, recipe: SetRecipe, part: Part) {
  const { floor, wall, light, shelf } = recipe;
  const far = CAMERA_DISTANCE + light.wall;
  return (y: number, out: Float32Array): void => {
    switch (part) {
      case "top":
        return floor(topRow(view, y), out);
      case "wall":
      case "below":
        return wall(wallRow(view, y, far), out);
      case "floor":
        return floor(floorRow(view, Math.min(far, floorDistance(view, y, light.drop)), light.drop), out);
      case "face":
        return (shelf?.face ?? floor)(wallRow(view, y, CAMERA_DISTANCE - (shelf?.front ?? 0)), out);
      default:
        return part satisfies never;
    }
  };
}

/** The product's own podium or board alone takes its shadow: beyond the rim it would fall on the floor below. */
function receiverOf(view: View, recipe: SetRecipe): RenderedSet["receives"] {
  if (view.from === "top") return undefined;
  const own = recipe.podiums.find(({ top }) => top === 0);
  if (own) return topCoverage(view, own);
  if (!recipe.shelf) return undefined;
  const edge = floorRowAt(view, CAMERA_DISTANCE - recipe.shelf.front, 0);
  return (_x, y) => (y + 0.5 < edge ? 1 : 0);
}

function paintPodiums(canvas: Canvas, view: View, recipe: SetRecipe): void {
  const { light, seed } = recipe;
  const level = { ...light, drop: 0, standing: undefined };
  const at = (x: number, z: number, out: Float32Array) => lightFloor(level, [x, z], out, 0);
  for (const podium of recipe.podiums) paintPodium(canvas, view, podium, { side: light.side, seed, at });
}

/** Where the wall meets the floor is out of focus like all that is there: rows near it become means of rows. */
function softenCrease({ width, height, data }: Canvas, view: View, light: SetLight): void {
  const far = CAMERA_DISTANCE + light.wall;
  const radius = Math.round(defocus(far) * view.unit);
  const crease = Math.round(floorRowAt(view, far, light.drop));
  if (light.corner === "bent" || radius < 1 || crease < 3 * radius || crease > height - 3 * radius) return;
  const length = width * 3;
  const from = crease - 3 * radius;
  const before = data.slice(from * length, (crease + 3 * radius) * length);
  for (let y = crease - 2 * radius; y < crease + 2 * radius; y++) {
    const reach = Math.min(radius, 2 * radius - Math.abs(y - crease));
    const row = data.subarray(y * length, (y + 1) * length).fill(0);
    for (let k = y - reach; k <= y + reach; k++) {
      const at = (k - from) * length;
      for (let i = 0; i < length; i++) row[i] = (row[i] ?? 0) + (before[at + i] ?? 0) / (2 * reach + 1);
    }
  }
}

/** The set in linear light, 0..1 up to the brightest whites. */
export function renderSet(view: View, recipe: SetRecipe): RenderedSet {
  const { width, height } = view;
  const partAt = partsOf(view, recipe);
  const parts = [...new Set(Array.from({ length: height }, (_, y) => partAt(y)))];
  const lights = new Map(parts.map((part) => [part, lightAt(view, recipe, part)]));
  const surfaces = new Map(parts.map((part) => [part, surfaceOf(view, recipe, part)]));
  const grid = makeLightGrid(view, (x, y, out, at) =>
    lights.get(partAt(Math.min(y, height - 1)))?.(x, y, out, at),
  );
  const [colours, light] = [new Float32Array(width * 3), new Float32Array(grid.columns * 6)];
  const data = new Float32Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    surfaces.get(partAt(y))?.(y, colours);
    gridRow(grid, y, light);
    shadeRow(colours, light, data.subarray(y * width * 3, (y + 1) * width * 3));
  }
  const canvas = { width, height, data };
  if (view.from === "front") softenCrease(canvas, view, recipe.light);
  if (view.from === "front") paintPodiums(canvas, view, recipe);
  return { ...canvas, receives: receiverOf(view, recipe) };
}

/** Backgrounds in linear light: a studio set by its name, one flat colour, or a gradient. By seed alone. */
import type { SetName } from "#crds/brand.ts";
import type { Box } from "#crds/runner-report.ts";
import { CAMERA_DISTANCE, CAMERA_HEIGHT, measureOf } from "./camera.ts";
import type { Size } from "./layout.ts";
import { linearColour } from "./linear-light.ts";
import { buildSet } from "./set-catalogue.ts";
import { renderSet } from "./set-render.ts";

/** Linear light, three floats a pixel, 0..1. */
export interface LinearRgb extends Size {
  readonly data: Float32Array;
}

export interface Background extends LinearRgb {
  /** How much of a pixel can be in the product's shadow, 0..1; without it, all. */
  readonly receives?: ((x: number, y: number) => number) | undefined;
}

export interface StudioSet {
  readonly name: SetName;
  readonly product: Box;
  /** The place on the ground on which the product stands or over which it floats, in pixels. */
  readonly foot: { readonly x: number; readonly y: number };
  /** How far above it the farthest of its feet is seen, in pixels; 0 where it has one foot. */
  readonly baseRise: number;
  /** Seen from the front, or straight from above with the product lying. */
  readonly from: "front" | "top";
  /** "#rrggbb", the brand's main tone first; without one the set has its own. */
  readonly colours: readonly string[];
  readonly seed: number;
  /** Where shadows fall, seen from above: 0 right, 90 towards the viewer. */
  readonly directionDegrees: number;
}

/** Depth of a place on the floor that is seen so many units above the product's foot. */
function depthOf(rise: number): number {
  const below = Math.max(0.3 * CAMERA_HEIGHT, CAMERA_HEIGHT - rise);
  return (CAMERA_DISTANCE * CAMERA_HEIGHT) / below - CAMERA_DISTANCE;
}

export function makeStudioSet(size: Size, set: StudioSet): Background {
  const { product } = set;
  const unit = measureOf(product);
  const [main, ...accents] = set.colours.map(linearColour);
  const recipe = buildSet(set.name, {
    main,
    accents,
    seed: set.seed,
    directionDegrees: set.directionDegrees,
    productWidth: product.width / unit,
    baseDepth: depthOf(set.baseRise / unit),
  });
  const middle = { x: product.x + product.width / 2, y: product.y + product.height / 2 };
  const { x: footX, y: footY } = set.from === "top" ? middle : set.foot;
  const view = {
    width: size.width,
    height: size.height,
    unit,
    footX,
    footY,
    from: set.from,
  };
  return renderSet(view, recipe);
}

/** One colour everywhere. */
export function makeFlatSet(size: Size, colour: string): LinearRgb {
  const channels = linearColour(colour);
  const data = new Float32Array(size.width * size.height * 3);
  for (let i = 0; i < data.length; i++) data[i] = channels[i % 3] ?? 0;
  return { ...size, data };
}

/** The shapes in which a segmenter is shown a picture: about as the picture is, for pixels that stretch it cost the same. */
import type { SegmentEntry } from "../models/catalogue.ts";
import type { Size } from "../pipeline/layout.ts";
import { NARROWEST_LOOK } from "../pipeline/two-pass.ts";

type Task = SegmentEntry["task"];

/** Of the shorter side to the longer, before both are made multiples. Few: on a GPU each shape is warmed. */
const PROPORTIONS = [NARROWEST_LOOK, 0.7, 0.8, 1];
/** A picture's shorter side may be squashed to this share of itself for a smaller shape. */
const LEAST_SQUASHED = 0.94;

/** The shorter sides of the shapes that are `side` pixels long, ascending; one of a network that takes squares alone. */
function shortSides(side: number, { sides }: Task): number[] {
  if (!sides) return [side];
  return PROPORTIONS.map(
    (proportion) => Math.round((side * proportion) / sides.multipleOf) * sides.multipleOf,
  );
}

/** The shape of `side` pixels in length that shows a picture in its proportions, or hardly squashed. */
export function lookShape(side: number, { width, height }: Size, task: Task): Size {
  const unsquashed = (side * Math.min(width, height)) / Math.max(width, height);
  const short = shortSides(side, task).find((each) => each >= LEAST_SQUASHED * unsquashed) ?? side;
  return width >= height ? { width: side, height: short } : { width: short, height: side };
}

/** All shapes in which a network is shown pictures: the square in which it finds the product, and those of closer looks. */
export function lookShapes(task: Task): Size[] {
  const { size, sides } = task;
  const closer = (sides ? [sides.closer, sides.closerAtMany] : [size]).flatMap((side) =>
    shortSides(side, task).flatMap((short) => {
      const wide = { width: side, height: short };
      return short === side ? [wide] : [wide, { width: short, height: side }];
    }),
  );
  return sides ? [{ width: sides.locate, height: sides.locate }, ...closer] : closer;
}

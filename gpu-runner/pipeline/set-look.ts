/** What a set is dressed with: the brand's colours and light, and the walls and boards that sets share. */
import { linearColour } from "./linear-light.ts";
import { type Colour, toOklab } from "./oklab.ts";
import type { SetLight } from "./set-light.ts";
import { paint } from "./set-paint.ts";
import type { SetRecipe } from "./set-render.ts";
import { both, clouds, trowelled } from "./set-tone.ts";
import { wood } from "./set-wood.ts";

export interface SetLook {
  /** The brand's main tone and further colours, if it has any. */
  readonly main: Colour | undefined;
  readonly accents: readonly Colour[];
  readonly seed: number;
  /** Where shadows fall, seen from above: 0 right, 90 towards the viewer. */
  readonly directionDegrees: number;
  /** The product's width in units. */
  readonly productWidth: number;
  /** From its nearest foot to its farthest, in units: 0 where it has one foot. */
  readonly baseDepth: number;
}

export const sideOf = ({ directionDegrees }: SetLook): 1 | -1 =>
  Math.cos((directionDegrees * Math.PI) / 180) > -1e-9 ? 1 : -1;

/** The wall stands at least so far behind the farthest foot, in units: legs stand on the floor, not on the wall. */
const BEHIND_LEGS = 0.25;

/** Which of the set's sides the light leaves: the key stands where shadows do not fall. */
export function lightOf(look: SetLook, own: Partial<SetLight> = {}): SetLight {
  const side = sideOf(look);
  const wall = own.wall ?? 1.35;
  return {
    side,
    drop: 0,
    corner: "edge",
    wallTone: both(clouds(look.seed, 0.03), trowelled(look.seed, 0.2, side)),
    floorTone: clouds(look.seed + 1, 0.02),
    ...own,
    wall: Math.max(wall, look.baseDepth + BEHIND_LEGS),
  };
}

export const orOwn = (colour: Colour | undefined, hex: string): Colour => colour ?? linearColour(hex);

export function walls(look: SetLook, colour: Colour, relief: number) {
  return paint({ colour, seed: look.seed + 101, relief, side: sideOf(look) });
}

export const plain = (look: SetLook, recipe: Pick<SetRecipe, "floor" | "wall" | "wallTone">): SetRecipe => ({
  light: lightOf(look),
  gloss: 0,
  podiums: [],
  seed: look.seed,
  ...recipe,
});

/** Pale, middle or dark timber, whichever goes with the brand's tone. */
export function timber(look: SetLook, board: number) {
  const lightness = look.main ? toOklab(look.main)[0] : 0.85;
  const species =
    lightness > 0.62
      ? { light: "#d7b48a", dark: "#9c6f45" }
      : lightness > 0.4
        ? { light: "#b98a5c", dark: "#71482a" }
        : { light: "#8a6344", dark: "#3f2819" };
  return wood({
    light: linearColour(species.light),
    dark: linearColour(species.dark),
    seed: look.seed + 7,
    board,
  });
}

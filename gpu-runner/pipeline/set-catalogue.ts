/**
 * The sets by name. Each takes the brand's colours where a stylist would use them (the wall, the paper, the
 * podium) and keeps natural materials natural. Without colours each has its own.
 */
import type { SetName } from "#crds/brand.ts";
import { type Colour, mixColours, shade, toOklab } from "./oklab.ts";
import { linearColour } from "./linear-light.ts";
import { type Gobo, leafGobo, windowGobo } from "./set-gobo.ts";
import { folds } from "./set-cloth.ts";
import { linen } from "./set-linen.ts";
import { marble } from "./set-marble.ts";
import { concrete, paint } from "./set-paint.ts";
import { type Podium, podiumShade } from "./set-podium.ts";
import type { SetRecipe } from "./set-render.ts";
import { terrazzo } from "./set-terrazzo.ts";
import { tiles } from "./set-tiles.ts";
import { both, clouds, trowelled } from "./set-tone.ts";
import { lightOf, orOwn, plain, type SetLook, sideOf, timber, walls } from "./set-look.ts";

/** Shadows of sets in the sun fall to the back, for the sun must reach the wall; they are longer and less soft. */
const SUN_SHADOW = { directionDegrees: 320, softness: 28, intensity: 58, spread: 70 } as const;
const IN_THE_SUN: ReadonlySet<SetName> = new Set(["window", "leaves"]);

/** How shadows fall in a set that stands in the sun, when the brand does not say. */
export function sunShadow(name: SetName) {
  return IN_THE_SUN.has(name) ? SUN_SHADOW : undefined;
}

/** A set whose front must be seen wants the product higher in the picture, where the brand states no layout. */
export const RAISED: ReadonlySet<SetName> = new Set(["podium", "shelf"]);

function sweep(look: SetLook): SetRecipe {
  const colour = orOwn(look.main, "#e9e5df");
  const paper = paint({ colour, seed: look.seed, relief: 0.1, side: sideOf(look) });
  return {
    ...plain(look, { floor: paper, wall: paper, wallTone: colour }),
    light: lightOf(look, { corner: "bent", wall: 1.5, wallTone: undefined, floorTone: undefined }),
  };
}

function plaster(look: SetLook): SetRecipe {
  const colour = orOwn(look.main, "#d9cbbb");
  const floor = shade(colour, 0.02, 0.9);
  const side = sideOf(look);
  return {
    ...plain(look, { floor: walls(look, floor, 0.5), wall: walls(look, colour, 1), wallTone: colour }),
    light: lightOf(look, {
      wallTone: both(clouds(look.seed, 0.07), trowelled(look.seed, 0.5, side)),
      floorTone: both(clouds(look.seed + 1, 0.05), trowelled(look.seed + 1, 0.3, side)),
    }),
  };
}

function woodTable(look: SetLook): SetRecipe {
  const colour = orOwn(look.main, "#dcd6cb");
  return {
    ...plain(look, { floor: timber(look, 0.62), wall: walls(look, colour, 0.8), wallTone: colour }),
    light: lightOf(look, { wall: 2.2 }),
    gloss: 0.2,
  };
}

function marbleTop(look: SetLook): SetRecipe {
  const colour = orOwn(look.main, "#e3ded6");
  const dark = look.main !== undefined && toOklab(look.main)[0] < 0.4;
  const stone = dark
    ? { ground: linearColour("#2b2b2e"), vein: linearColour("#c9c2b4") }
    : { ground: linearColour("#f1eeea"), vein: linearColour("#8d8a88") };
  return {
    ...plain(look, {
      floor: marble({ ...stone, seed: look.seed }),
      wall: walls(look, colour, 0.6),
      wallTone: colour,
    }),
    light: lightOf(look, { wall: 1.9 }),
    gloss: 0.45,
  };
}

function linenCloth(look: SetLook): SetRecipe {
  const colour = orOwn(look.main, "#ddd3c3");
  const wall = 1.5;
  const weave = linen({ colour, seed: look.seed });
  const cloth = folds(look.seed, sideOf(look), wall);
  return {
    ...plain(look, { floor: weave, wall: weave, wallTone: colour }),
    light: lightOf(look, {
      corner: "bent",
      wall,
      wallTone: (u, v) => cloth(u, v + wall),
      floorTone: cloth,
    }),
  };
}

/** The product's own podium, wide enough for its foot, and a taller one out of focus at the back. */
function podiums(look: SetLook, colour: Colour, drop: number): Podium[] {
  const depth = Math.max(Math.min(0.6, 0.6 * look.productWidth), look.baseDepth);
  const radius = Math.max(0.5 * look.productWidth + 0.3, 0.5 * depth + 0.22);
  const side = sideOf(look);
  const own = {
    colour: shade(colour, 0, 1.15),
    radius,
    x: 0,
    z: 0.5 * depth,
    top: 0,
    foot: -drop,
  };
  const back = {
    colour: shade(colour, -0.03),
    radius: 0.34,
    x: side * (0.62 * radius + 0.32),
    z: 0.5 * depth + 0.75,
    top: 0.34,
    foot: -drop,
  };
  return [back, own];
}

function podiumSet(look: SetLook): SetRecipe {
  const main = orOwn(look.main, "#e2c8b6");
  const drop = 0.3;
  const stands = podiums(look, look.accents[0] ?? shade(main, 0.05, 0.8), drop);
  const side = sideOf(look);
  const shades = stands.map((podium) => podiumShade(podium, side));
  return {
    ...plain(look, {
      floor: walls(look, shade(main, 0.01), 0.2),
      wall: walls(look, main, 0.35),
      wallTone: main,
    }),
    light: lightOf(look, {
      wall: 1.7 + 0.5 * look.baseDepth,
      drop,
      standing: (x, z) => shades.reduce((light, shade) => light * shade(x, z), 1),
    }),
    podiums: stands,
  };
}

function inTheSun(look: SetLook, own: string, makeGobo: (seed: number, degrees: number) => Gobo): SetRecipe {
  const colour = orOwn(look.main, own);
  return {
    ...plain(look, {
      floor: walls(look, shade(colour, 0.015, 0.9), 0.4),
      wall: walls(look, colour, 0.8),
      wallTone: colour,
    }),
    light: lightOf(look, { wall: 1.0, gobo: makeGobo(look.seed, look.directionDegrees) }),
  };
}

function concreteSet(look: SetLook): SetRecipe {
  const grey = linearColour("#b9b6b0");
  const colour = look.main ? mixColours(grey, look.main, 0.35) : grey;
  return {
    ...plain(look, {
      floor: concrete({ colour: shade(colour, 0.02), seed: look.seed }),
      wall: concrete({ colour, seed: look.seed + 1, panel: 2.1 }),
      wallTone: colour,
    }),
    light: lightOf(look, {
      wallTone: clouds(look.seed, 0.14),
      floorTone: clouds(look.seed + 1, 0.1),
    }),
    gloss: 0.06,
  };
}

function terrazzoSet(look: SetLook): SetRecipe {
  const colour = orOwn(look.main, "#e5ddd2");
  const own = ["#c98f76", "#8a8d8c", "#d9b98b", "#5f6a63", "#f4efe6"].map(linearColour);
  const chips = look.accents.length > 1 ? [...look.accents, linearColour("#f4efe6")] : own;
  return {
    ...plain(look, {
      floor: terrazzo({ cement: linearColour("#e8e2d8"), chips, seed: look.seed }),
      wall: walls(look, colour, 0.5),
      wallTone: colour,
    }),
    gloss: 0.22,
  };
}

function kitchen(look: SetLook): SetRecipe {
  const glaze = orOwn(look.main, "#e8e7e1");
  return {
    ...plain(look, {
      floor: timber(look, 0.3),
      wall: tiles({
        glaze,
        joint: mixColours(shade(glaze, -0.12, 0.5), linearColour("#b9b4ab"), 0.5),
        seed: look.seed,
        width: 0.62,
        height: 0.31,
        side: sideOf(look),
      }),
      wallTone: glaze,
    }),
    light: lightOf(look, { wall: 1.5, wallTone: clouds(look.seed, 0.02) }),
    gloss: 0.25,
  };
}

function shelfSet(look: SetLook): SetRecipe {
  const colour = orOwn(look.main, "#d5d2c8");
  const board = timber(look, 3.2);
  return {
    ...plain(look, { floor: board, wall: walls(look, colour, 0.45), wallTone: colour }),
    light: lightOf(look, { wall: 0.55 }),
    gloss: 0.12,
    shelf: { face: board, front: 0.2, thickness: 0.11 },
  };
}

const BUILDERS: Readonly<Record<SetName, (look: SetLook) => SetRecipe>> = {
  sweep,
  plaster,
  wood: woodTable,
  marble: marbleTop,
  linen: linenCloth,
  podium: podiumSet,
  window: (look) => inTheSun(look, "#e6d8c6", windowGobo),
  leaves: (look) => inTheSun(look, "#e4dcc9", leafGobo),
  concrete: concreteSet,
  terrazzo: terrazzoSet,
  kitchen,
  shelf: shelfSet,
};

export function buildSet(name: SetName, look: SetLook): SetRecipe {
  return BUILDERS[name](look);
}

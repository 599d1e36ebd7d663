import { linearColour } from "./linear-light.ts";
import { type Oklab, toOklab } from "./oklab.ts";

/** Colours as people call them in prompts. */
const WORDS: readonly (readonly [word: string, colour: string])[] = [
  ["white", "#f7f6f3"],
  ["cream", "#efe3cb"],
  ["beige", "#d9c7a8"],
  ["light grey", "#c9c9c9"],
  ["grey", "#8f8f8f"],
  ["charcoal", "#3f4043"],
  ["black", "#141414"],
  ["brown", "#6f4a2f"],
  ["terracotta", "#bf6446"],
  ["orange", "#ef8a2b"],
  ["yellow", "#efcb4a"],
  ["sage green", "#a3b18a"],
  ["green", "#4f8a4f"],
  ["dark green", "#234a36"],
  ["turquoise", "#4fb5b0"],
  ["light blue", "#a9cbe6"],
  ["blue", "#3f74bf"],
  ["navy blue", "#1f2d52"],
  ["purple", "#7a4f9c"],
  ["lilac", "#c5b3df"],
  ["pink", "#eab6bd"],
  ["red", "#bf2f33"],
  ["burgundy", "#6a1f2f"],
];

const known = WORDS.map(([word, colour]) => [word, toOklab(linearColour(colour))] as const);

function apart(a: Oklab, b: Oklab): number {
  return (a[0] - b[0]) ** 2 + 4 * ((a[1] - b[1]) ** 2 + (a[2] - b[2]) ** 2);
}

/** What people call a colour, "#rrggbb": the word whose colour looks most like it. @throws {RangeError} */
export function colourWord(hex: string): string {
  const seen = toOklab(linearColour(hex));
  const [first, ...others] = known;
  if (!first) throw new RangeError("there are no words for colours");
  return others.reduce((best, one) => (apart(one[1], seen) < apart(best[1], seen) ? one : best), first)[0];
}

/** What the model is told of a brand's scene: the brand's prompt with its slots filled. Pure. */
import type { Brand } from "#crds/brand.ts";
import { Failure } from "../failure.ts";
import { colourWord } from "../pipeline/colour-words.ts";
import type { PlaceLook } from "./place-look.ts";

export interface ScenePrompt {
  readonly prompt: string;
  readonly negativePrompt: string | undefined;
}

/** Three eighths of the way round each: the shadow falls away from the light. */
function lightWord(directionDegrees: number): string {
  const across = Math.cos((directionDegrees * Math.PI) / 180);
  if (across > 0.35) return "light from the left";
  return across < -0.35 ? "light from the right" : "light from above";
}

function coloursOf({ background, palette }: Brand): string[] {
  return [...new Set([background ?? [], palette].flat().map(colourWord))];
}

type Slots = Readonly<Record<string, (brand: Brand, look: PlaceLook) => string>>;

/** What may stand in braces. A slot of which the brand knows nothing is left out, with the comma before it. */
const SLOTS: Slots = {
  colour: (brand) => coloursOf(brand)[0] ?? "",
  colours: (brand) => coloursOf(brand).join(" and "),
  light: (_, { shadow }) => lightWord(shadow.directionDegrees),
  angle: (_, { pose }) => (pose === "lying" ? "top down view" : "front view"),
  style: ({ style }) => style ?? "",
};

function filled(template: string, brand: Brand, look: PlaceLook): string {
  const text = template.replace(/\{([^{}]*)\}/g, (_, name: string) => {
    const slot = Object.hasOwn(SLOTS, name) ? SLOTS[name] : undefined;
    if (slot) return slot(brand, look);
    throw new Failure(
      "config",
      `the brand's prompt has a slot {${name}}: known are ${Object.keys(SLOTS)
        .map((slot) => `{${slot}}`)
        .join(", ")}`,
    );
  });
  return text
    .replace(/\s+/g, " ")
    .replace(/(\s*,)+/g, ",")
    .replace(/^[,\s]+|[,\s]+$/g, "");
}

/** Case, accents of compatibility and separators do not hide a word. */
const words = (text: string) =>
  text
    .normalize("NFKC")
    .toLowerCase()
    .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

/** The first of the refused words, or rows of words, that a text holds. */
export function refusedWord(text: string, refused: readonly string[]): string | undefined {
  const said = ` ${words(text).join(" ")} `;
  return refused.find((word) => {
    const wanted = words(word);
    return wanted.length > 0 && said.includes(` ${wanted.join(" ")} `);
  });
}

/**
 * @param refused words for which no picture is made
 * @throws {Failure} `config` without a prompt or with an unknown slot, `bad-input` for a refused word
 */
export function composePrompt(brand: Brand, look: PlaceLook, refused: readonly string[]): ScenePrompt {
  if (brand.prompt === undefined) throw new Failure("config", "placement `generated` needs brand.prompt");
  const prompt = filled(brand.prompt, brand, look);
  const word = refusedWord(prompt, refused);
  if (word !== undefined) {
    throw new Failure("bad-input", `no picture is made of this prompt: "${word}" is not allowed`);
  }
  const negative = brand.negativePrompt;
  return { prompt, negativePrompt: negative === undefined ? undefined : filled(negative, brand, look) };
}

/**
 * Prompts cut into the pieces that are encoded each alone, as the `tokenizers` library does it for CLIP: NFC and
 * lower case, then runs of letters, single digits, runs of anything else. Spaces only part.
 */
const PIECE = /'s|'t|'re|'ve|'m|'ll|'d|\p{L}+|\p{N}|[^\p{White_Space}\p{L}\p{N}]+/gu;

/** A character at a time: the sigma at a word's end is like any other. */
export const normalised = (text: string): string =>
  Array.from(text.normalize("NFC"), (character) => character.toLowerCase()).join("");

/** Pieces of a normalised text that holds no special token. */
export const wordsOf = (text: string): readonly string[] => text.match(PIECE) ?? [];

/**
 * CLIP's tokenizer: prompts become the ids that a text encoder of Stable Diffusion was trained on, the same as those
 * of transformers' CLIPTokenizerFast, the only one since transformers 5. bytes: the alphabet. words: pieces of a
 * text. byte-pairs: ids of a piece. tokenizer-files: what a model's folder says. Here: special tokens and chunks.
 */
import { createBytePairs } from "./byte-pairs.ts";
import { parseTokenizerFiles, type TokenizerFiles } from "./tokenizer-files.ts";
import { normalised, wordsOf } from "./words.ts";

/** Positions of a text encoder: start, 75 tokens, end. */
const CHUNK_LENGTH = 77;
const USABLE = CHUNK_LENGTH - 2;

export interface Encoding {
  /** Ids of start, up to 75 tokens, end and padding: 77 each, at least one. Nothing of a long prompt is cut off. */
  readonly chunks: readonly Int32Array[];
}

export interface Tokenizer {
  encode(prompt: string): Encoding;
}

const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Longer ones first, as one may begin with another. */
const anyOf = (tokens: Iterable<string>) =>
  new RegExp(
    `(${[...tokens]
      .sort((a, b) => b.length - a.length)
      .map(escaped)
      .join("|")})`,
    "u",
  );

/** @throws {RangeError} naming the file and what is wrong in it. */
export function createTokenizer(files: TokenizerFiles): Tokenizer {
  const { vocabulary, specials, start, end, padding } = parseTokenizerFiles(files);
  const encodeWord = createBytePairs(vocabulary);
  const specialIds = new Map(Array.from(specials, ([token, id]) => [normalised(token), id]));
  const special = anyOf(specialIds.keys());

  function idsOf(prompt: string): readonly number[] {
    return normalised(prompt)
      .split(special)
      .flatMap((text) => specialIds.get(text) ?? wordsOf(text).flatMap(encodeWord));
  }

  function chunkOf(ids: readonly number[]): Int32Array {
    const chunk = new Int32Array(CHUNK_LENGTH).fill(padding);
    chunk[0] = start;
    chunk.set(ids, 1);
    chunk[ids.length + 1] = end;
    return chunk;
  }

  return {
    encode(prompt) {
      const ids = idsOf(prompt);
      const chunks = [chunkOf(ids.slice(0, USABLE))];
      for (let at = USABLE; at < ids.length; at += USABLE) chunks.push(chunkOf(ids.slice(at, at + USABLE)));
      return { chunks };
    },
  };
}

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod";
import { BYTE_CHARACTERS } from "./bytes.ts";
import type { TokenizerFiles } from "./tokenizer-files.ts";
import { createTokenizer } from "./tokenizer.ts";

const GOLDENS = new URL("../goldens/tokenizer/", import.meta.url);
const START = "<|startoftext|>";
const END = "<|endoftext|>";

const Golden = z.object({
  prompt: z.string(),
  ids: z.array(z.int()),
  idsZero: z.array(z.int()).optional(),
  padEos: z.array(z.int()).length(77),
  padZero: z.array(z.int()).length(77),
});
const goldens = z.array(Golden).parse(JSON.parse(readFileSync(new URL("prompts.json", GOLDENS), "utf8")));

/** CLIP numbers the bytes that can be seen first; then come the same at a word's end, the merges, the specials. */
function clipVocabulary(merges: string): string {
  const isSeen = (character: string) => character.codePointAt(0)! < 256;
  const letters = [...BYTE_CHARACTERS.filter(isSeen), ...BYTE_CHARACTERS.filter((letter) => !isSeen(letter))];
  const ends = letters.map((letter) => `${letter}</w>`);
  const merged = merges
    .split("\n")
    .slice(1, -1)
    .map((line) => line.replace(" ", ""));
  const tokens = [...letters, ...ends, ...merged, START, END];
  return JSON.stringify(Object.fromEntries(tokens.map((token, id) => [token, id])));
}

const merges = gunzipSync(readFileSync(new URL("merges.txt.gz", GOLDENS))).toString();
const CLIP: TokenizerFiles = { vocab: clipVocabulary(merges), merges };
const clip = createTokenizer(CLIP);
const padsWithZero = createTokenizer({ ...CLIP, specialTokens: JSON.stringify({ pad_token: "!" }) });

/** The tokens alone, without start, end and padding. */
function tokensOf(chunks: readonly Int32Array[], end = 49407): number[] {
  const last = chunks.at(-1)!;
  let length = last.length;
  const padding = last[76];
  while (last[length - 1] === padding && length > 1) length--;
  if (padding === end) length++;
  return chunks.flatMap((chunk, i) => [...chunk.subarray(1, i + 1 < chunks.length ? 76 : length - 1)]);
}

describe("CLIP's tokenizer", () => {
  it(`gives the ids of transformers for ${goldens.length} prompts`, () => {
    for (const { prompt, ids, padEos } of goldens) {
      const { chunks } = clip.encode(prompt);
      expect([prompt, chunks.length]).toEqual([prompt, Math.max(1, Math.ceil((ids.length - 2) / 75))]);
      expect([prompt, ...chunks[0]!]).toEqual([prompt, ...padEos]);
      const all = chunks.flatMap((chunk) => [...chunk.subarray(1, 76)]).slice(0, ids.length - 2);
      expect([prompt, ...all]).toEqual([prompt, ...ids.slice(1, -1)]);
    }
  });

  it("gives them where the padding is an exclamation mark, too", () => {
    for (const { prompt, ids, idsZero = ids, padZero } of goldens) {
      const { chunks } = padsWithZero.encode(prompt);
      expect([prompt, ...chunks[0]!]).toEqual([prompt, ...padZero]);
      const all = chunks.flatMap((chunk) => [...chunk.subarray(1, 76)]).slice(0, idsZero.length - 2);
      expect([prompt, ...all]).toEqual([prompt, ...idsZero.slice(1, -1)]);
    }
  });

  it("begins every chunk with the start and ends it, whatever the text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (prompt) => {
        const { chunks } = clip.encode(prompt);
        expect(chunks.length).toBeGreaterThan(0);
        for (const chunk of chunks) {
          expect(chunk).toHaveLength(77);
          expect(chunk[0]).toBe(49406);
          expect(chunk).toContain(49407);
          expect(chunk.every((id) => id >= 0 && id < 49408)).toBe(true);
        }
      }),
    );
  });

  it("loses nothing of a long prompt", () => {
    const words = Array.from({ length: 200 }, (_, i) => (i % 2 ? "cup" : "red"));
    const { chunks } = clip.encode(words.join(" "));
    const [red, cup] = tokensOf(clip.encode("red cup").chunks);
    expect(chunks).toHaveLength(3);
    expect(tokensOf(chunks)).toEqual(words.map((word) => (word === "cup" ? cup : red)));
  });

  it("fills a chunk to its end before it begins another", () => {
    const prompt = (count: number) => Array<string>(count).fill("cup").join(" ");
    expect(clip.encode(prompt(75)).chunks).toHaveLength(1);
    expect(clip.encode(prompt(76)).chunks).toHaveLength(2);
    expect(clip.encode("").chunks).toEqual([Int32Array.from([49406, ...Array<number>(76).fill(49407)])]);
  });
});

describe("the files of a tokenizer", () => {
  const TINY: TokenizerFiles = {
    vocab: JSON.stringify({ "!": 0, a: 1, "b</w>": 2, "ab</w>": 3, "!</w>": 4, [START]: 5, [END]: 6 }),
    merges: "#version: 0.2\na b</w>\r\n",
  };
  const eosPadded = [5, 3, 4, 6, 6];
  const zeroPadded = [5, 3, 0, 6, 0];

  it.each([
    { name: "no settings", files: {}, want: eosPadded },
    { name: "a bare token in the settings", files: { config: { pad_token: "!" } }, want: zeroPadded },
    {
      name: "the older file against the newer",
      files: { config: { pad_token: END }, specialTokens: { pad_token: { content: "!", lstrip: false } } },
      want: zeroPadded,
    },
    {
      name: "the older file silent",
      files: { config: { pad_token: "!" }, specialTokens: { bos_token: START } },
      want: zeroPadded,
    },
    {
      name: "the newer file with its own list: the older is not read",
      files: {
        config: { pad_token: END, added_tokens_decoder: { 0: { content: "!" }, 6: { content: END } } },
        specialTokens: { pad_token: "!" },
      },
      want: [5, 3, 0, 6, 6],
    },
  ])("say how to pad: $name", ({ files, want }) => {
    const written = Object.entries(files).map(([name, value]) => [name, JSON.stringify(value)]);
    const { chunks } = createTokenizer({ ...TINY, ...Object.fromEntries(written) }).encode("ab!");
    expect([...chunks[0]!.subarray(0, 5)]).toEqual(want);
  });

  it("may hold a small vocabulary: what it lacks is unknown", () => {
    expect([...createTokenizer(TINY).encode("ab ac").chunks[0]!.subarray(0, 5)]).toEqual([5, 3, 1, 6, 6]);
  });

  it.each([
    { files: { vocab: "{" }, message: "vocab.json of the tokenizer is not JSON" },
    { files: { vocab: '{"a":"b"}' }, message: "vocab.json of the tokenizer is not as expected" },
    {
      files: { merges: "a b c" },
      message: 'merges.txt of the tokenizer has a line that is not two tokens: "a b c"',
    },
    { files: { merges: "a x" }, message: 'merges.txt has the token "x", which vocab.json lacks' },
    { files: { config: '{"pad_token":"[PAD]"}' }, message: 'lacks its special token "[PAD]"' },
    {
      files: { specialTokens: '{"pad_token":7}' },
      message: "special_tokens_map.json of the tokenizer is not as",
    },
  ])("are refused with a sentence: $message", ({ files, message }) => {
    expect(() => createTokenizer({ ...TINY, ...files })).toThrow(message);
  });
});

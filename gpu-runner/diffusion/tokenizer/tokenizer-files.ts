/** What the files of a model's tokenizer folder say, in the shapes that transformers has written over the years. */
import * as z from "zod";
import type { Vocabulary } from "./byte-pairs.ts";

/** Contents of the files. */
export interface TokenizerFiles {
  /** vocab.json */
  readonly vocab: string;
  /** merges.txt */
  readonly merges: string;
  /** tokenizer_config.json */
  readonly config?: string | undefined;
  /** special_tokens_map.json */
  readonly specialTokens?: string | undefined;
}

export interface TokenizerSettings {
  readonly vocabulary: Vocabulary;
  /**
   * Never taken apart where they stand in a prompt, in whatever case. The padding token is one of them: SD 2, which
   * pads with "!", reads every "!" so.
   */
  readonly specials: ReadonlyMap<string, number>;
  readonly start: number;
  readonly end: number;
  readonly padding: number;
}

const isId = (value: unknown) => typeof value === "number" && Number.isInteger(value) && value >= 0;

/** Tens of thousands of entries: a record's schema would take half a second. */
const Vocab = z.custom<Record<string, number>>(
  (value) => typeof value === "object" && value !== null && Object.values(value).every(isId),
  "must be an object of tokens and their ids",
);

/** A token is written bare, or as an object that also says how it is found in a text. */
const Token = z.union([
  z.string(),
  z.looseObject({ content: z.string() }).transform((token) => token.content),
]);
const SpecialTokens = z.looseObject({
  bos_token: Token.nullish(),
  eos_token: Token.nullish(),
  unk_token: Token.nullish(),
  pad_token: Token.nullish(),
});
type SpecialTokens = z.infer<typeof SpecialTokens>;
const Config = SpecialTokens.extend({ added_tokens_decoder: z.record(z.string(), Token).optional() });

function parse<T>(schema: z.ZodType<T>, text: string, file: string): T {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new RangeError(`${file} of the tokenizer is not JSON`, { cause });
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  throw new RangeError(`${file} of the tokenizer is not as expected: ${z.prettifyError(parsed.error)}`);
}

function parseMerges(text: string): (readonly [string, string])[] {
  const lines = text
    .split(/\r?\n/)
    .filter((line, i) => line !== "" && !(i === 0 && line.startsWith("#version")));
  return lines.map((line) => {
    const [left, right, ...rest] = line.split(" ");
    if (left && right && rest.length === 0) return [left, right];
    throw new RangeError(`merges.txt of the tokenizer has a line that is not two tokens: "${line}"`);
  });
}

/** Where both files speak the older one wins, unless the newer lists its special tokens itself: so transformers. */
function specialTokensOf({ config, specialTokens }: TokenizerFiles) {
  const { added_tokens_decoder: added, ...named } =
    config === undefined ? {} : parse(Config, config, "tokenizer_config.json");
  const older: SpecialTokens =
    specialTokens === undefined || added
      ? {}
      : parse(SpecialTokens, specialTokens, "special_tokens_map.json");
  return { named: { ...named, ...older }, added: Object.values(added ?? {}) };
}

/** @throws {RangeError} naming the file and what is wrong in it. */
export function parseTokenizerFiles(files: TokenizerFiles): TokenizerSettings {
  const ids = new Map(Object.entries(parse(Vocab, files.vocab, "vocab.json")));
  const idOf = (token: string) => {
    const id = ids.get(token);
    if (id === undefined)
      throw new RangeError(`vocab.json of the tokenizer lacks its special token "${token}"`);
    return id;
  };
  const { named, added } = specialTokensOf(files);
  const start = named.bos_token ?? "<|startoftext|>";
  const end = named.eos_token ?? "<|endoftext|>";
  const unknown = named.unk_token ?? end;
  const padding = named.pad_token ?? end;
  return {
    vocabulary: { ids, merges: parseMerges(files.merges), unknown: idOf(unknown) },
    specials: new Map([start, end, unknown, padding, ...added].map((token) => [token, idOf(token)])),
    start: idOf(start),
    end: idOf(end),
    padding: idOf(padding),
  };
}

/** Byte-pair encoding: the ids of a word, from single bytes by the merges of a vocabulary, the earliest first. */
import { BYTE_CHARACTERS } from "./bytes.ts";

/** Marks what stands at the end of a word: "a</w>" is another token than "a". */
const WORD_END = "</w>";

export interface Vocabulary {
  readonly ids: ReadonlyMap<string, number>;
  /** Pairs of tokens that become one, in the order in which they may. */
  readonly merges: readonly (readonly [left: string, right: string])[];
  /** Stands for a byte that the vocabulary lacks. */
  readonly unknown: number;
}

/** Place among the merges and the id that comes of it, by the ids of both sides. */
type Merges = ReadonlyMap<number, readonly [rank: number, id: number]>;

interface Table {
  readonly merges: Merges;
  /** One more than the largest id: left × count + right is the key of a pair. */
  readonly count: number;
}

function tableOf({ ids, merges }: Vocabulary): Table {
  const idOf = (token: string) => {
    const id = ids.get(token);
    if (id === undefined) throw new RangeError(`merges.txt has the token "${token}", which vocab.json lacks`);
    return id;
  };
  let count = 0;
  for (const id of ids.values()) count = Math.max(count, id + 1);
  const byPair = new Map<number, readonly [number, number]>();
  for (const [rank, [left, right]] of merges.entries()) {
    byPair.set(idOf(left) * count + idOf(right), [rank, idOf(left + right)]);
  }
  return { merges: byPair, count };
}

/** Merges one pair, in place: the one of the earliest rank, of equals the one furthest to the left. */
function mergeOnce(word: number[], { merges, count }: Table): boolean {
  let [at, lowest, merged] = [-1, Infinity, 0];
  for (let i = 0; i + 1 < word.length; i++) {
    const merge = merges.get((word[i] ?? 0) * count + (word[i + 1] ?? 0));
    if (merge && merge[0] < lowest) [at, lowest, merged] = [i, ...merge];
  }
  if (at < 0) return false;
  word.splice(at, 2, merged);
  return true;
}

/** @throws {RangeError} naming a token of the merges that is not in the vocabulary. */
export function createBytePairs(vocabulary: Vocabulary): (word: string) => readonly number[] {
  const { ids, unknown } = vocabulary;
  const table = tableOf(vocabulary);
  const inside = BYTE_CHARACTERS.map((character) => ids.get(character) ?? unknown);
  const last = BYTE_CHARACTERS.map((character) => ids.get(character + WORD_END) ?? unknown);
  const utf8 = new TextEncoder();

  return (text) => {
    const bytes = utf8.encode(text);
    const word = Array.from(bytes, (byte, i) => (i + 1 < bytes.length ? inside : last)[byte] ?? unknown);
    while (mergeOnce(word, table));
    return word;
  };
}

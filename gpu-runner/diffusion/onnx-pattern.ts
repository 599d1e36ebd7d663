/** Patterns of an ONNX graph: each says of a value, by its name, whether it is made as it should be. Pure. */
import { attributeOf, constantOf, type OnnxFileNode } from "./onnx-nodes.ts";

export interface Search {
  /** The node that makes a value. */
  readonly makers: ReadonlyMap<string, OnnxFileNode>;
  /** What was found so far, under the pattern's own words. */
  readonly found: Map<string, string | number>;
}

export type Pattern = (name: string, search: Search) => boolean;

export const anything: Pattern = () => true;

/** One thing under one word: found again it must be the same. */
function isSame({ found }: Search, word: string, thing: string | number): boolean {
  if (!found.has(word)) found.set(word, thing);
  return found.get(word) === thing;
}

/** Remembers the value's name. */
export const called =
  (word: string, pattern: Pattern = anything): Pattern =>
  (name, search) =>
    pattern(name, search) && isSame(search, word, name);

/** A constant of one number. */
export const number =
  (value: number): Pattern =>
  (name, { makers }) =>
    constantOf(makers.get(name)) === value;

/** Remembers the number. */
export const numberCalled =
  (word: string): Pattern =>
  (name, search) => {
    const value = constantOf(search.makers.get(name));
    return value !== undefined && isSame(search, word, value);
  };

/** Made by such a node of exactly these inputs; attributes are whole numbers or lists of them. */
export const made =
  (
    operator: string,
    inputs: readonly Pattern[],
    attributes: Readonly<Record<string, readonly number[]>> = {},
  ): Pattern =>
  (name, search) => {
    const node = search.makers.get(name);
    if (node?.op_type !== operator || node.input.length !== inputs.length) return false;
    const hasAttributes = Object.entries(attributes).every(([attribute, wanted]) => {
      const { i, ints = [] } = attributeOf(node, attribute) ?? {};
      return (ints.length > 0 ? ints : [i]).join() === wanted.join();
    });
    return hasAttributes && inputs.every((input, i) => input(node.input[i] ?? "", search));
  };

/** Whatever its type was changed to. */
export const cast =
  (pattern: Pattern): Pattern =>
  (name, search) => {
    const node = search.makers.get(name);
    if (node?.op_type === "Cast") return cast(pattern)(node.input[0] ?? "", search);
    return pattern(name, search);
  };

/** Patterns of an ONNX graph: each says of a value, by its name, whether it is made as it should be. Pure. */
import { type DecodedTensor, FLOAT } from "../models/onnx-schema.ts";
import type { Graph } from "./onnx-edit.ts";
import { attributeOf, constantsOf, type OnnxFileNode } from "./onnx-nodes.ts";

export interface Search {
  /** The node that makes a value. */
  readonly makers: ReadonlyMap<string, OnnxFileNode>;
  readonly weights: Graph["weights"];
  /** What was found so far, under the pattern's own words. */
  readonly found: Map<string, string | number>;
}

export type Pattern = (name: string, search: Search) => boolean;

/** By the names of the values. */
export const makersOf = (nodes: readonly OnnxFileNode[]): ReadonlyMap<string, OnnxFileNode> =>
  new Map(nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));

/** What was found under the pattern's words. */
export type Found = ReadonlyMap<string, string | number>;

/** In a graph, what a pattern finds of a node's first output; undefined where it is made otherwise. */
export function finder({
  nodes,
  weights,
}: Graph): (node: OnnxFileNode, pattern: Pattern) => Found | undefined {
  const makers = makersOf(nodes);
  return ({ output: [name = ""] }, pattern) => {
    const found = new Map<string, string | number>();
    return pattern(name, { makers, weights, found }) ? found : undefined;
  };
}

/** The graph with some nodes exchanged for others; the very same where a node is itself its only successor. */
export function exchanged(graph: Graph, successors: (node: OnnxFileNode) => readonly OnnxFileNode[]): Graph {
  const nodes = graph.nodes.flatMap(successors);
  const isSame = nodes.length === graph.nodes.length && nodes.every((node, i) => node === graph.nodes[i]);
  return isSame ? graph : { ...graph, nodes };
}

/** A name that was found. */
export const nameOf = (found: Found, word: string): string => String(found.get(word) ?? "");

export const anything: Pattern = () => true;

/** An input that is left out. */
export const nothing: Pattern = (name) => name === "";

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

/** A constant of exactly these numbers. */
export const numbers =
  (...wanted: readonly number[]): Pattern =>
  (name, { makers }) =>
    constantsOf(makers.get(name))?.join() === wanted.join();

/** A constant of one number. */
export const number = (value: number): Pattern => numbers(value);

/** Remembers the number. */
export const numberCalled =
  (word: string): Pattern =>
  (name, search) => {
    const [value, ...more] = constantsOf(search.makers.get(name)) ?? [];
    return value !== undefined && more.length === 0 && isSame(search, word, value);
  };

type Sought = readonly number[] | string;

/** Made by such a node of exactly these inputs; attributes are whole numbers, lists of them, or words. */
export const made =
  (
    operator: string,
    inputs: readonly Pattern[],
    attributes: Readonly<Record<string, Sought>> = {},
  ): Pattern =>
  (name, search) => {
    const node = search.makers.get(name);
    if (node?.op_type !== operator || node.input.length !== inputs.length) return false;
    const hasAttributes = Object.entries(attributes).every(([attribute, wanted]) => {
      const { i, s, ints = [] } = attributeOf(node, attribute) ?? {};
      if (typeof wanted === "string") return s !== undefined && Buffer.from(s).toString() === wanted;
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

/** A weight with its type as it is computed with; folders of halves may widen them first. */
function weightAt(name: string, search: Search): DecodedTensor | undefined {
  const weight = search.weights.get(name);
  if (weight) return weight;
  const node = search.makers.get(name);
  if (node?.op_type !== "Identity" && node?.op_type !== "Cast") return undefined;
  const from = weightAt(node.input[0] ?? "", search);
  const type = attributeOf(node, "to")?.i;
  return from && { ...from, ...(type !== undefined && { data_type: type }) };
}

/** Remembers the name of what is the same in every run, and under `<word> columns` how long its last axis is. */
export const weightCalled =
  (word: string): Pattern =>
  (name, search) => {
    const columns = weightAt(name, search)?.dims?.at(-1);
    return columns !== undefined && isSame(search, word, name) && isSame(search, `${word} columns`, columns);
  };

/** Remembers the name of a weight of whole floats. */
export const wholeWeightCalled =
  (word: string): Pattern =>
  (name, search) =>
    weightAt(name, search)?.data_type === FLOAT && isSame(search, word, name);

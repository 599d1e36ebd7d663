/**
 * Of a UNet's values: which are the same for every prompt, and which of those lie picture by picture along their
 * first axis, as far as each node tells. Pure.
 */
import { attributeOf, constantsOf, type OnnxFileNode } from "./onnx-nodes.ts";

/**
 * What a value is made of: of text, or what else differs between prompts; of latents and time, picture by picture or
 * nobody knows how; of how large such values are. Constants and weights have no origin.
 */
export type Origin = "text" | "pictures" | "unknown" | "sizes";

export interface Origins {
  readonly makers: ReadonlyMap<string, OnnxFileNode>;
  /** Filled in the order in which the nodes run. */
  readonly of: ReadonlyMap<string, Origin>;
}

/** The one input of a network that may be a single number. */
export const TIME = "timestep";

/** Each value of the result comes from values at the same place along the first axis of the first input. */
const always = () => true;
const hasAxes = (values: readonly number[] | undefined) => values !== undefined && !values.includes(0);
const inputOf = ({ input }: OnnxFileNode, index: number) => input[index] ?? "";

/** Sizes of such a value. */
function isShapeOfPictures(node: OnnxFileNode | undefined, { of }: Origins): boolean {
  return node?.op_type === "Shape" && of.get(inputOf(node, 0)) === "pictures";
}

/** How many pictures there are, as a size of its own. */
function isPictureCount(node: OnnxFileNode | undefined, origins: Origins): boolean {
  const { makers } = origins;
  const size = node?.op_type === "Unsqueeze" ? makers.get(inputOf(node, 0)) : undefined;
  if (size?.op_type !== "Gather" || constantsOf(makers.get(inputOf(size, 1)))?.join() !== "0") return false;
  return isShapeOfPictures(makers.get(inputOf(size, 0)), origins);
}

/** The first of the sizes is the number of pictures; 0 leaves it as it was. */
function beginsWithPictures(sizes: string, origins: Origins): boolean {
  const maker = origins.makers.get(sizes);
  if (maker?.op_type === "Concat") return isPictureCount(origins.makers.get(inputOf(maker, 0)), origins);
  return isShapeOfPictures(maker, origins) || constantsOf(maker)?.[0] === 0;
}

type Keeps = (node: OnnxFileNode, origins: Origins) => boolean;

/** Of elements one by one, where the other operand is no longer. */
const ELEMENTWISE = [
  "Add",
  "Sub",
  "Mul",
  "Div",
  "Pow",
  "Sqrt",
  "Sigmoid",
  "Erf",
  "Sin",
  "Cos",
  "Cast",
  "Identity",
];
/** Of each picture alone. */
const LAYERS = ["Conv", "MatMul", "InstanceNormalization", "LayerNormalization", "MultiHeadAttention"];

const firstIsPictures: Keeps = (node, { of }) => of.get(inputOf(node, 0)) === "pictures";

/** Operators that keep pictures apart along the first axis, and when. */
const KEEPS: ReadonlyMap<string, Keeps> = new Map<string, Keeps>([
  ...ELEMENTWISE.map((operator) => [operator, always] as const),
  ...LAYERS.map((operator) => [operator, firstIsPictures] as const),
  ["Gemm", (node, origins) => firstIsPictures(node, origins) && !attributeOf(node, "transA")?.i],
  // Time, which may be a single number, is laid out for every picture.
  ["Expand", firstIsPictures],
  [
    "Unsqueeze",
    (node, { makers }) => inputOf(node, 0) === TIME || hasAxes(constantsOf(makers.get(inputOf(node, 1)))),
  ],
  ["Transpose", (node) => attributeOf(node, "perm")?.ints?.[0] === 0],
  ["Concat", (node) => attributeOf(node, "axis")?.i !== 0],
  ["Slice", (node, { makers }) => hasAxes(constantsOf(makers.get(inputOf(node, 3))))],
  ["ReduceMean", (node) => hasAxes(attributeOf(node, "axes")?.ints)],
  [
    "Reshape",
    (node, origins) => firstIsPictures(node, origins) && beginsWithPictures(inputOf(node, 1), origins),
  ],
]);

function originOf(node: OnnxFileNode, origins: Origins): Origin | undefined {
  const from = new Set(node.input.map((name) => origins.of.get(name)));
  if (from.has("text")) return "text";
  if (from.has("unknown")) return "unknown";
  if (node.op_type === "Shape" && from.has("pictures")) return "sizes";
  if (from.has("pictures")) return KEEPS.get(node.op_type)?.(node, origins) ? "pictures" : "unknown";
  return from.has("sizes") ? "sizes" : undefined;
}

/** @param inputs of the graph: the origin of each */
export function originsOf(
  nodes: readonly OnnxFileNode[],
  makers: Origins["makers"],
  inputs: ReadonlyMap<string, Origin>,
): ReadonlyMap<string, Origin> {
  const of = new Map(inputs);
  for (const node of nodes) {
    const origin = originOf(node, { makers, of });
    if (origin) for (const name of node.output) of.set(name, origin);
  }
  return of;
}

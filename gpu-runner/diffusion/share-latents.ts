/**
 * A step asks the UNet about the same latents with the prompt and without. Until they meet text, both go through the
 * very same arithmetic: the first layers and the first attention, the dearest of all. Here the network takes the
 * latents of each picture once, and lays them out for every prompt where they meet text. Pure.
 */
import { originsOf, TIME } from "./by-picture.ts";
import type { Axis, GraphEdit, GraphPort } from "./onnx-edit.ts";
import { nodeOf, type OnnxFileNode, wholeNumbers } from "./onnx-nodes.ts";
import { makersOf } from "./onnx-pattern.ts";

/** The first axis of inputs that such a network takes once for all prompts. */
export const ONCE = "opal_pictures";
const LATENTS = "sample";
const TEXT = "encoder_hidden_states";
/** More axes than a value has. */
const END = 100;

const named = (part: string) => `${ONCE}/${part}`;

/** For each row of the text: which picture it is about. Rows of one prompt lie together, as `steer` feeds them. */
const PICTURE_OF_ROW: readonly OnnxFileNode[] = [
  wholeNumbers(named("0"), [0]),
  wholeNumbers(named("1"), [1]),
  wholeNumbers(named("end"), [END]),
  nodeOf("Shape", [TEXT], named("sizes of text")),
  nodeOf("Gather", [named("sizes of text"), named("0")], named("rows")),
  nodeOf("Shape", [LATENTS], named("sizes of latents")),
  nodeOf("Gather", [named("sizes of latents"), named("0")], named("pictures")),
  nodeOf("Squeeze", [named("0")], named("first")),
  nodeOf("Squeeze", [named("1")], named("step")),
  nodeOf("Squeeze", [named("rows")], named("last")),
  nodeOf("Range", [named("first"), named("last"), named("step")], named("every row")),
  nodeOf("Mod", [named("every row"), named("pictures")], named("picture of row")),
];

/** The sizes of a value as they are once it was laid out for every row. */
function sizesForRows(sizes: string, output: string): OnnxFileNode[] {
  return [
    nodeOf("Slice", [sizes, named("1"), named("end")], `${output}/others`),
    nodeOf("Concat", [named("rows"), `${output}/others`], output, { axis: { i: 0 } }),
  ];
}

/** What text meets is laid out first; undefined where not all of it is known to lie picture by picture. */
function laidOut(
  nodes: readonly OnnxFileNode[],
  origins: ReturnType<typeof originsOf>,
): OnnxFileNode[] | undefined {
  const makers = makersOf(nodes);
  const out = [...PICTURE_OF_ROW];
  const done = new Set<string>();
  let isKnown = true;
  const forRows = (name: string): string => {
    const origin = origins.get(name);
    isKnown &&= origin !== "unknown";
    if (origin !== "pictures" && origin !== "sizes") return name;
    const output = `${name}/for rows`;
    if (done.has(output)) return output;
    done.add(output);
    const maker = makers.get(name);
    if (origin === "pictures") {
      out.push(nodeOf("Gather", [name, named("picture of row")], output));
    } else if (maker?.op_type === "Shape") {
      out.push(...sizesForRows(name, output));
    } else if (maker?.output.length === 1) {
      out.push({ ...maker, name: output, input: maker.input.map(forRows), output: [output] });
    } else isKnown = false;
    return output;
  };
  for (const node of nodes) {
    const meetsText = node.input.some((name) => origins.get(name) === "text");
    out.push(meetsText ? { ...node, input: node.input.map(forRows) } : node);
  }
  return isKnown ? out : undefined;
}

const axesOf = ({ type }: GraphPort): readonly Axis[] => type.tensor_type.shape.dim;
const isFree = (port: GraphPort | undefined) =>
  port !== undefined && axesOf(port)[0]?.dim_param !== undefined;

/** The input with its first axis, where that is free, named. */
function once(port: GraphPort): GraphPort {
  if (!isFree(port)) return port;
  const dim = [{ dim_param: ONCE }, ...axesOf(port).slice(1)];
  return { ...port, type: { tensor_type: { ...port.type.tensor_type, shape: { dim } } } };
}

/** The latents of each picture once; text, and what else differs between prompts, for every prompt as before. */
export const shareLatents: GraphEdit = (graph) => {
  const { nodes, inputs } = graph;
  const ofEach = (name: string) => name === LATENTS || name === TIME;
  if (!isFree(inputs.find(({ name }) => name === LATENTS))) return graph;
  if (!isFree(inputs.find(({ name }) => name === TEXT))) return graph;
  const given = inputs
    .filter(({ name }) => !graph.weights.has(name))
    .map(({ name }) => [name, ofEach(name) ? "pictures" : "text"] as const);
  const after = laidOut(nodes, originsOf(nodes, makersOf(nodes), new Map(given)));
  if (!after) return graph;
  return { ...graph, nodes: after, inputs: inputs.map((port) => (ofEach(port.name) ? once(port) : port)) };
};

/**
 * A network that computes in halves, for processors that cannot: they would turn every map into whole floats before
 * a layer and back after it, and lay it out anew each time. Computed in whole floats throughout, IS-Net takes five
 * sixths of the time. Its weights stay halves in the file; ONNX Runtime widens them once, when it opens it. Pure.
 */
import {
  attribute,
  type DecodedGraph,
  decodeModel,
  type DecodedNode,
  encodeModel,
  FLOAT,
  HALF,
} from "./onnx-schema.ts";

/** What a value is called when no node changes its type: as what it was made from, or as the network's output. */
function renaming({ node, output }: DecodedGraph): (name: string) => string {
  const casts = node.filter(({ op_type }) => op_type === "Cast");
  const from = new Map(casts.map((cast) => [cast.output[0], cast.input[0]] as const));
  const madeAs = (name: string): string => {
    const source = from.get(name);
    return source === undefined ? name : madeAs(source);
  };
  const outputs = new Map(output.map(({ name }) => [madeAs(name), name]));
  return (name) => outputs.get(madeAs(name)) ?? madeAs(name);
}

const widening = (from: string, to: string): DecodedNode & Record<string, unknown> => ({
  name: to,
  op_type: "Cast",
  input: [from],
  output: [to],
  attribute: [attribute("to", { i: FLOAT })],
});

/**
 * The same network computed in whole floats; one without halves is given back as it is.
 * @param file of a network whose values are halves or whole floats, no integers; its input and output are whole.
 */
export function inWholeFloats(file: Uint8Array): Uint8Array {
  const model = decodeModel(file);
  const { graph } = model;
  const halves = graph.initializer.filter(({ data_type }) => data_type === HALF);
  if (halves.length === 0) return file;
  const renamed = renaming(graph);
  const nodes = graph.node.filter(({ op_type }) => op_type !== "Cast");
  for (const node of nodes) {
    node.input = node.input.map(renamed);
    node.output = node.output.map(renamed);
  }
  const widened = halves.map((weights) => {
    const { name } = weights;
    weights.name = `${name}/half`;
    return widening(weights.name, name);
  });
  graph.node = [...widened, ...nodes];
  return encodeModel(model);
}

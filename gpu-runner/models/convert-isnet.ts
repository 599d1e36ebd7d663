/**
 * IS-Net as it is published, for pictures of any shape. The file takes 1024×1024 alone: its sides are fixed, and
 * so are the sizes to which its maps are enlarged. The network itself has no such limit: every map is enlarged by
 * two. Its side outputs and intermediate maps, which only training needs, are left out.
 */
import { decodeModel, type DecodedNode, type DecodedPicture, encodeModel, FLOAT } from "./onnx-schema.ts";

const SCALES = "scales";

/** The nodes that `output` is made by, in their order. */
function nodesFor(output: string, nodes: readonly DecodedNode[]): DecodedNode[] {
  const makers = new Map(nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const needed = new Set<DecodedNode>();
  const open = [output];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    const maker = makers.get(name);
    if (!maker || needed.has(maker)) continue;
    needed.add(maker);
    open.push(...maker.input);
  }
  return nodes.filter((node) => needed.has(node));
}

function openSides({ type }: DecodedPicture): void {
  const { dim } = type.tensor_type.shape;
  dim.splice(2, 2, { dim_param: "height" }, { dim_param: "width" });
}

/**
 * The network from picture to `output`, whose sides may be any multiples of 64.
 * @param file the published ONNX file @throws {RangeError} when it has no such output
 */
export function convertIsnet(file: Uint8Array, output: string): Uint8Array {
  const model = decodeModel(file);
  const { graph } = model;
  const [input] = graph.input;
  const kept = graph.output.find(({ name }) => name === output);
  if (!input || !kept) throw new RangeError(`the network has no input, or no output "${output}"`);
  for (const node of graph.node)
    if (node.op_type === "Resize") node.input = [node.input[0] ?? "", "", SCALES];
  graph.node = nodesFor(output, graph.node);
  const used = new Set(graph.node.flatMap((node) => node.input));
  const scales = { name: SCALES, dims: [4], data_type: FLOAT, raw_data: bytesOf([1, 1, 2, 2]) };
  graph.initializer = [...graph.initializer.filter(({ name }) => used.has(name)), scales];
  graph.output = [kept];
  for (const picture of [input, kept]) openSides(picture);
  return encodeModel(model);
}

const bytesOf = (values: readonly number[]) => new Uint8Array(Float32Array.from(values).buffer);

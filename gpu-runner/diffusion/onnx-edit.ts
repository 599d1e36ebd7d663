/**
 * Edits of an ONNX file's graph, one after another: the file is read and written once, what no edit touches keeps
 * its bytes, and nodes that no output needs any more are left out (ONNX Runtime would run them). Pure.
 */
import { type DecodedTensor, onnxType } from "../models/onnx-schema.ts";
import { holdsGraph, type OnnxFileNode, readNode, writeNode } from "./onnx-nodes.ts";
import { fieldOf, fieldsOf } from "./protobuf-fields.ts";

/** Field numbers of onnx.proto. */
const MODEL = { graph: 7, opset: 8 };
const GRAPH = { node: 1, weights: 5, input: 11, output: 12, between: 13 };
const NAME = 1;
const VERSION_ONE = Uint8Array.of((2 << 3) | 0, 1);
/** Of ONNX Runtime's own operators. */
export const OWN_DOMAIN = "com.microsoft";

const TENSOR = onnxType("Tensor");
const VALUE = onnxType("ValueInfo");

/** An input or output with its axes: numbers, or words for those that are free. */
export interface GraphPort {
  readonly name: string;
  readonly type: {
    readonly tensor_type: { readonly shape: { readonly dim: readonly Axis[] } };
  };
}
export interface Axis {
  readonly dim_value?: number;
  readonly dim_param?: string;
}

export interface Graph {
  /** In an order in which they can run. */
  readonly nodes: readonly OnnxFileNode[];
  /** Their values may lie in another file. */
  readonly weights: ReadonlyMap<string, DecodedTensor>;
  readonly inputs: readonly GraphPort[];
}

/** The very same graph where there is nothing to do. */
export type GraphEdit = (graph: Graph) => Graph;

/** Those on which an output hangs. */
function needed(nodes: readonly OnnxFileNode[], outputs: readonly string[]): readonly OnnxFileNode[] {
  const names = new Set(outputs);
  const kept = nodes.toReversed().filter((node) => {
    if (!node.output.some((name) => names.has(name))) return false;
    for (const name of node.input) names.add(name);
    return true;
  });
  return kept.toReversed();
}

/** What was read, with the field that it was read from. */
function read<T extends object>(graph: Uint8Array, number: number, parse: (bytes: Uint8Array) => T) {
  const fields = [...fieldsOf(graph)].filter((field) => field.number === number);
  return new Map(fields.map(({ value = new Uint8Array(), whole }) => [parse(value), whole] as const));
}

const portOf = (bytes: Uint8Array) =>
  VALUE.toObject(VALUE.decode(bytes), { longs: Number, arrays: true }) as GraphPort;
const weightOf = (bytes: Uint8Array) =>
  TENSOR.toObject(TENSOR.decode(bytes), { longs: Number, arrays: true }) as DecodedTensor & { name?: string };
const portBytes = (port: GraphPort) => VALUE.encode(VALUE.fromObject(port)).finish();

/** The graph's parts after the edits; undefined where none had anything to do. */
function editedGraph(graph: Uint8Array, edits: readonly GraphEdit[]) {
  const nodes = read(graph, GRAPH.node, readNode);
  const inputs = read(graph, GRAPH.input, portOf);
  if ([...nodes.keys()].some(holdsGraph)) return undefined;
  const weights = [...read(graph, GRAPH.weights, weightOf).keys()];
  const before: Graph = {
    nodes: [...nodes.keys()],
    weights: new Map(weights.map((tensor) => [tensor.name ?? "", tensor] as const)),
    inputs: [...inputs.keys()],
  };
  const after = edits.reduce((edited, edit) => edit(edited), before);
  if (after === before) return undefined;
  const outputs = [...read(graph, GRAPH.output, portOf).keys()].map(({ name }) => name);
  const kept = needed(after.nodes, outputs);
  // Sizes of values between were noted by the exporter, if at all, for the nodes that it wrote.
  const written: number[] = [GRAPH.node, GRAPH.input, GRAPH.between];
  const parts = [
    ...[...fieldsOf(graph)].filter(({ number }) => !written.includes(number)).map(({ whole }) => whole),
    ...after.inputs.flatMap((port) => inputs.get(port) ?? fieldOf(GRAPH.input, [portBytes(port)])),
    ...kept.flatMap((node) => nodes.get(node) ?? fieldOf(GRAPH.node, [writeNode(node)])),
  ];
  return { parts, domains: new Set(kept.map(({ domain }) => domain)) };
}

function domainOf(opset: Uint8Array): string {
  const field = [...fieldsOf(opset)].find(({ number }) => number === NAME);
  return Buffer.from(field?.value ?? []).toString();
}

/** The ONNX file with its graph edited; the very same where there is nothing to do. @throws {RangeError} */
export function editGraph(file: Uint8Array, edits: readonly GraphEdit[]): Uint8Array {
  const fields = [...fieldsOf(file)];
  const graph = fields.find(({ number }) => number === MODEL.graph)?.value;
  const after = graph && editedGraph(graph, edits);
  if (!after) return file;
  const others = fields.filter(({ number }) => number !== MODEL.graph);
  const isDeclared = others.some(
    ({ number, value }) => number === MODEL.opset && value && domainOf(value) === OWN_DOMAIN,
  );
  const own = [...fieldOf(NAME, [Buffer.from(OWN_DOMAIN)]), VERSION_ONE];
  return Buffer.concat([
    ...others.map(({ whole }) => whole),
    ...(after.domains.has(OWN_DOMAIN) && !isDeclared ? fieldOf(MODEL.opset, own) : []),
    ...fieldOf(MODEL.graph, after.parts),
  ]);
}

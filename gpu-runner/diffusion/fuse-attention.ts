/**
 * Attention as exporters write it (heads apart, products, softmax, products, heads together) becomes ONNX Runtime's
 * own operator, which never lays the table of all pairs of positions into memory. Done only where every node is
 * as PyTorch's exporter makes it of `scaled_dot_product_attention` without a mask; all else stays. Pure.
 */
import { holdsGraph, type OnnxFileNode, readNode, writeNode } from "./onnx-nodes.ts";
import { anything, called, cast, made, number, numberCalled, type Pattern } from "./onnx-pattern.ts";
import { fieldOf, fieldsOf } from "./protobuf-fields.ts";

/** Field numbers of onnx.proto. */
const MODEL = { graph: 7, opset: 8 };
const GRAPH = { node: 1, output: 12 };
const NAME = 1;
const VERSION_ONE = Uint8Array.of((2 << 3) | 0, 1);
const DOMAIN = "com.microsoft";
const WHOLE_NUMBER = 2;

/** From [batch, tokens, heads, width] to heads first; of keys, turned for the product at once. */
const HEADS_FIRST = [0, 2, 1, 3];
const HEADS_FIRST_TURNED = [0, 2, 3, 1];
/** The end of a slice that goes as far as there is something. */
const END = Number(0x7fff_ffff_ffff_ffffn);

const sizeOf = (value: Pattern, axis: number) => made("Gather", [made("Shape", [value]), number(axis)]);
const axis = (size: Pattern) => made("Unsqueeze", [size, anything]);
const heads = numberCalled("heads");

/** Rows [batch, tokens, heads × width] with their heads laid apart. */
function headsApart(rows: string, perm: readonly number[]): Pattern {
  const width = cast(made("Div", [sizeOf(called("keys"), 2), heads]));
  const shape = made("Concat", [axis(sizeOf(anything, 0)), number(-1), heads, axis(width)]);
  return made("Transpose", [made("Reshape", [called(rows), shape])], { perm });
}

/** The root of 1 / √width, by which both queries and keys are multiplied. */
const lastSize = made("Slice", [made("Shape", [called("queries apart")]), number(-1), number(END)]);
const scale = made("Div", [number(1), cast(made("Sqrt", [cast(lastSize)]))]);
const rootOfScale = made("Sqrt", [cast(scale)]);

const queries = called("queries apart", headsApart("queries", HEADS_FIRST));
const products = made("MatMul", [
  made("Mul", [queries, rootOfScale]),
  made("Mul", [headsApart("keys", HEADS_FIRST_TURNED), rootOfScale]),
]);
const shares = made("Softmax", [products], { axis: [-1] });
const result = made("MatMul", [shares, headsApart("values", HEADS_FIRST)]);
const together = made("Concat", [anything, number(-1), axis(made("Mul", [anything, heads]))]);
const attention = made("Reshape", [made("Transpose", [result], { perm: HEADS_FIRST }), together]);

/** The same node where it is not the last of an attention. */
function fused(makers: ReadonlyMap<string, OnnxFileNode>, node: OnnxFileNode): OnnxFileNode {
  const found = new Map<string, string | number>();
  if (!node.output.some((name) => attention(name, { makers, found }))) return node;
  return {
    op_type: "MultiHeadAttention",
    domain: DOMAIN,
    name: `${node.output.join()}/attention`,
    input: ["queries", "keys", "values"].map((word) => String(found.get(word))),
    output: node.output,
    attribute: [{ name: "num_heads", i: Number(found.get("heads")), type: WHOLE_NUMBER }],
  };
}

const nameIn = (message: Uint8Array) => {
  const name = [...fieldsOf(message)].find(({ number }) => number === NAME)?.value;
  return Buffer.from(name ?? []).toString();
};

/** Those on which an output hangs; ONNX Runtime would run the others too. */
function needed(nodes: readonly OnnxFileNode[], outputs: readonly string[]): ReadonlySet<OnnxFileNode> {
  const names = new Set(outputs);
  const kept = new Set<OnnxFileNode>();
  for (const node of nodes.toReversed()) {
    if (!node.output.some((name) => names.has(name))) continue;
    kept.add(node);
    for (const name of node.input) names.add(name);
  }
  return kept;
}

/** The parts of the graph after its attentions were fused; undefined where it has none. */
function fusedGraph(graph: Uint8Array): readonly Uint8Array[] | undefined {
  const fields = [...fieldsOf(graph)];
  const read = fields.map(({ number, value }) =>
    number === GRAPH.node && value ? readNode(value) : undefined,
  );
  const nodes = read.filter((node) => node !== undefined);
  if (nodes.some(holdsGraph)) return undefined;
  const makers = new Map(nodes.flatMap((node) => node.output.map((name) => [name, node] as const)));
  const after = new Map(nodes.map((node) => [node, fused(makers, node)]));
  if (nodes.every((node) => after.get(node) === node)) return undefined;
  const outputs = fields.flatMap(({ number, value }) =>
    number === GRAPH.output && value ? [nameIn(value)] : [],
  );
  const kept = needed([...after.values()], outputs);
  return fields.flatMap(({ whole }, i) => {
    const before = read[i];
    const node = before && after.get(before);
    if (!node || node === before) return !node || kept.has(node) ? [whole] : [];
    return kept.has(node) ? fieldOf(GRAPH.node, [writeNode(node)]) : [];
  });
}

/** The ONNX file with its attentions fused; the very same where there is none. @throws {RangeError} */
export function fuseAttention(file: Uint8Array): Uint8Array {
  const fields = [...fieldsOf(file)];
  const graph = fields.find(({ number }) => number === MODEL.graph)?.value;
  const after = graph && fusedGraph(graph);
  if (!after) return file;
  const others = fields.filter(({ number }) => number !== MODEL.graph).map(({ whole }) => whole);
  const domain = [...fieldOf(NAME, [Buffer.from(DOMAIN)]), VERSION_ONE];
  return Buffer.concat([...others, ...fieldOf(MODEL.opset, domain), ...fieldOf(MODEL.graph, after)]);
}

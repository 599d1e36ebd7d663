/**
 * Attention as exporters write it (heads apart, products, softmax, products, heads together) becomes ONNX Runtime's
 * own operator, which never lays the table of all pairs of positions into memory. Done only where every node is
 * as PyTorch's exporter makes it of `scaled_dot_product_attention` without a mask; all else stays. Pure.
 */
import { type GraphEdit, OWN_DOMAIN } from "./onnx-edit.ts";
import { nodeOf } from "./onnx-nodes.ts";
import {
  anything,
  called,
  cast,
  exchanged,
  finder,
  made,
  nameOf,
  number,
  numberCalled,
  type Pattern,
} from "./onnx-pattern.ts";

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

/** Every attention of a graph as one operator. */
export const fuseAttention: GraphEdit = (graph) => {
  const find = finder(graph);
  return exchanged(graph, (node) => {
    const found = find(node, attention);
    if (!found) return [node];
    const rows = ["queries", "keys", "values"].map((word) => nameOf(found, word));
    const heads = { num_heads: { i: Number(found.get("heads")) } };
    return [{ ...nodeOf("MultiHeadAttention", rows, node.output[0] ?? "", heads), domain: OWN_DOMAIN }];
  });
};

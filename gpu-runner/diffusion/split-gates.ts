/**
 * A gated layer (GEGLU) is one product of which one half gates the other, and ONNX Runtime copies both halves out of
 * it. Here the weights are cut instead, once, when the file is opened: two products, each number the same. Pure.
 */
import type { GraphEdit } from "./onnx-edit.ts";
import { nodeOf, type OnnxFileNode, wholeNumbers } from "./onnx-nodes.ts";
import { called, exchanged, finder, type Found, made, nameOf, number, weightCalled } from "./onnx-pattern.ts";

const product = called(
  "product",
  made("Add", [weightCalled("bias"), made("MatMul", [called("rows"), weightCalled("weights")])]),
);
/** As PyTorch's exporter writes `chunk(2, -1)`. */
const columns = made("Gather", [made("Shape", [product]), number(-1)], { axis: [0] });
const half = made("Div", [made("Add", [columns, number(1)]), number(2)]);
const middle = made("Mul", [half, number(1)]);
const end = made("Mul", [half, number(2)]);
const first = made("Slice", [product, number(0), middle, number(-1)]);
const second = made("Slice", [product, middle, end, number(-1)]);

/** Products of some columns of the weights alone. */
function productOf(found: Found, output: string, [from, to]: readonly [number, number]): OnnxFileNode[] {
  const name = (part: string) => `${output}/${part}`;
  const cut = (word: string) =>
    nodeOf("Slice", [nameOf(found, word), name("from"), name("to"), name("axis")], name(word));
  return [
    wholeNumbers(name("from"), [from]),
    wholeNumbers(name("to"), [to]),
    wholeNumbers(name("axis"), [-1]),
    cut("weights"),
    cut("bias"),
    nodeOf("MatMul", [nameOf(found, "rows"), name("weights")], name("product")),
    nodeOf("Add", [name("bias"), name("product")], output),
  ];
}

/** Every half of a product as a product of half the weights. */
export const splitGates: GraphEdit = (graph) => {
  const find = finder(graph);
  return exchanged(graph, (node) => {
    const { op_type, output } = node;
    const [out = ""] = output;
    if (op_type !== "Slice") return [node];
    const isFirst = find(node, first);
    const found = isFirst ?? find(node, second);
    if (!found) return [node];
    const all = Number(found.get("weights columns"));
    const middle = Math.ceil(all / 2);
    return productOf(found, out, isFirst ? [0, middle] : [middle, all]);
  });
};

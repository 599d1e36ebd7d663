/**
 * A picture is made twice as large, each cell four times the same, and then convolved (3 × 3). Each of the four sees
 * but 2 × 2 different cells, with weights added up where two were the same: four such convolutions of the small
 * picture, woven together, are the same up to rounding for four ninths of the arithmetic. Pure.
 */
import type { GraphEdit } from "./onnx-edit.ts";
import { floatRows, nodeOf, type OnnxFileNode, wholeNumbers } from "./onnx-nodes.ts";
import {
  called,
  exchanged,
  finder,
  type Found,
  made,
  nameOf,
  nothing,
  numbers,
  wholeWeightCalled,
} from "./onnx-pattern.ts";

const twiceAsLarge = made("Resize", [called("small"), nothing, numbers(1, 1, 2, 2)], {
  mode: "nearest",
  coordinate_transformation_mode: "asymmetric",
  nearest_mode: "floor",
});
const convolution = made("Conv", [twiceAsLarge, wholeWeightCalled("weights"), wholeWeightCalled("bias")], {
  kernel_shape: [3, 3],
  pads: [1, 1, 1, 1],
  strides: [1, 1],
  dilations: [1, 1],
  group: [1],
});

/** Of a row, or column, of large cells: which of the three weights fall on which of two small cells. */
const FALLS = [
  [
    [1, 0, 0],
    [0, 1, 1],
  ],
  [
    [1, 1, 0],
    [0, 0, 1],
  ],
] as const;
/** The four of each small cell, rows first, as DepthToSpace weaves them. */
const CORNERS = [
  [0, 0],
  [0, 1],
  [1, 0],
  [1, 1],
] as const;

/** [9, 4]: by which 3 × 3 weights become those of one corner's 2 × 2. */
const sumsOf = ([row, column]: (typeof CORNERS)[number]) =>
  [0, 1, 2].flatMap((y) =>
    [0, 1, 2].map((x) =>
      [0, 1].flatMap((v) => [0, 1].map((u) => (FALLS[row][v]?.[y] ?? 0) * (FALLS[column][u]?.[x] ?? 0))),
    ),
  );

function woven(found: Found, output: string): OnnxFileNode[] {
  const name = (part: string, corner?: number) => `${output}/${part}${corner ?? ""}`;
  const corners = CORNERS.flatMap((corner, i) => [
    floatRows(name("sums", i), sumsOf(corner)),
    nodeOf("MatMul", [name("rows"), name("sums", i)], name("summed", i)),
    nodeOf("Reshape", [name("summed", i), name("2 × 2")], name("weights", i)),
    nodeOf("Conv", [nameOf(found, "small"), name("weights", i), nameOf(found, "bias")], name("corner", i), {
      kernel_shape: { ints: [2, 2] },
      // Above and left of it, below and right of it.
      pads: { ints: [1 - corner[0], 1 - corner[1], ...corner] },
    }),
  ]);
  const all = CORNERS.map((_, i) => name("corner", i));
  return [
    wholeNumbers(name("9"), [0, 0, -1]),
    wholeNumbers(name("2 × 2"), [0, 0, 2, 2]),
    nodeOf("Reshape", [nameOf(found, "weights"), name("9")], name("rows")),
    ...corners,
    nodeOf("Concat", all, name("corners"), { axis: { i: 1 } }),
    nodeOf("DepthToSpace", [name("corners")], output, { blocksize: { i: 2 } }),
  ];
}

/** Every such enlarging of whole floats; halves would round the sums of weights. */
export const upsampleSmall: GraphEdit = (graph) => {
  const find = finder(graph);
  return exchanged(graph, (node) => {
    const found = node.op_type === "Conv" ? find(node, convolution) : undefined;
    return found ? woven(found, node.output[0] ?? "") : [node];
  });
};

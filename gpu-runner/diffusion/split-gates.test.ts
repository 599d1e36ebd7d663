import { describe, expect, it } from "vitest";
import { editGraph } from "./onnx-edit.ts";
import type { OnnxFileNode } from "./onnx-nodes.ts";
import { splitGates } from "./split-gates.ts";
import { MODELS } from "./testing.ts";
import { countOf, differenceBy, fileOf, nodesOf, withAttribute, withNodes } from "./testing-graph.ts";

const splitOf = (file: Uint8Array) => editGraph(file, [splitGates]);

describe("a gated layer as two products", () => {
  it.each(MODELS)("gives what the UNet of %s gave", async (model) => {
    expect(await differenceBy(model, splitGates)).toBeLessThan(1e-5);
  });

  it.each(MODELS)("stands for every one in the UNet of %s", (model) => {
    const file = fileOf(model);
    const split = splitOf(file);
    // Each gate has the one Gelu, which is written with the error function.
    expect(countOf(split, "MatMul") - countOf(file, "MatMul")).toBe(countOf(file, "Erf"));
    const weights = new Set(nodesOf(split).map(({ output: [name = ""] }) => name));
    const products = nodesOf(split).filter(({ output: [name = ""] }) => name.endsWith("/product"));
    expect(products).toHaveLength(2 * countOf(file, "Erf"));
    expect(products.every(({ input: [, by = ""] }) => weights.has(by) && by.endsWith("/weights"))).toBe(true);
    expect(splitOf(split)).toBe(split);
  });

  const reversed = (node: OnnxFileNode) => ({ ...node, input: node.input.toReversed() });
  it.each([
    { kind: "Gather", change: withAttribute("axis", { i: 1 }), what: "another size" },
    { kind: "MatMul", change: reversed, what: "weights before what they weigh" },
    { kind: "Add", change: reversed, what: "a bias that is no weight" },
    { kind: "Slice", change: reversed, what: "another cut" },
    { kind: "Div", change: reversed, what: "no halves" },
  ])("is not taken for what has $what", ({ kind, change }) => {
    const other = withNodes(fileOf("sd15"), kind, change);
    expect(splitOf(other)).toBe(other);
  });
});

import { describe, expect, it } from "vitest";
import { fuseAttention } from "./fuse-attention.ts";
import { editGraph } from "./onnx-edit.ts";
import type { OnnxFileNode } from "./onnx-nodes.ts";
import { MODELS } from "./testing.ts";
import { countOf, differenceBy, fileOf, withAttribute, withNodes } from "./testing-graph.ts";

const fusedOf = (file: Uint8Array) => editGraph(file, [fuseAttention]);

describe("attention as one operator", () => {
  it.each(MODELS)("gives what the UNet of %s gave", async (model) => {
    // In halves the scale itself was rounded before.
    expect(await differenceBy(model, fuseAttention)).toBeLessThan(model.endsWith("fp16") ? 0.01 : 1e-5);
  });

  it.each(MODELS)("stands for every one in the UNet of %s", (model) => {
    const file = fileOf(model);
    const fused = fusedOf(file);
    expect(countOf(fused, "Softmax")).toBe(0);
    expect(countOf(fused, "MultiHeadAttention")).toBe(countOf(file, "Softmax"));
    expect(fusedOf(fused)).toBe(fused);
  });

  it("is not taken where there is a mask", () => {
    const file = fileOf("sd15", "text_encoder");
    expect(countOf(file, "Softmax")).toBeGreaterThan(0);
    expect(fusedOf(file)).toBe(file);
  });

  const reversed = (node: OnnxFileNode) => ({ ...node, input: node.input.toReversed() });
  it.each([
    { kind: "Softmax", change: withAttribute("axis", { i: 1 }), what: "another axis" },
    { kind: "Transpose", change: withAttribute("perm", { ints: [0, 1, 2, 3] }), what: "another order" },
    { kind: "Mul", change: reversed, what: "another scale" },
    { kind: "Concat", change: reversed, what: "another shape" },
    {
      kind: "Softmax",
      change: (node: OnnxFileNode) => ({ ...node, op_type: "LogSoftmax" }),
      what: "no softmax",
    },
  ])("is not taken for what has $what", ({ kind, change }) => {
    const other = withNodes(fileOf("sd15"), kind, change);
    expect(fusedOf(other)).toBe(other);
  });
});

import { describe, expect, it } from "vitest";
import { fuseAttention } from "./fuse-attention.ts";
import { editGraph, type GraphEdit, type GraphPort } from "./onnx-edit.ts";
import { ONCE, shareLatents } from "./share-latents.ts";
import { MODELS } from "./testing.ts";
import { differenceBy, fileOf, withAttribute, withNodes } from "./testing-graph.ts";

const sharedOf = (file: Uint8Array) => editGraph(file, [fuseAttention, shareLatents]);

/** The first axes of the inputs, as the last edit of some finds them. */
function firstAxes(file: Uint8Array, edits: readonly GraphEdit[]) {
  const found = new Map<string, string | number | undefined>();
  const axisOf = ({ type }: GraphPort) => type.tensor_type.shape.dim[0];
  editGraph(file, [
    ...edits,
    (graph) => {
      for (const port of graph.inputs)
        found.set(port.name, axisOf(port)?.dim_param ?? axisOf(port)?.dim_value);
      return graph;
    },
  ]);
  return found;
}

describe("latents that are given once for all prompts", () => {
  it.each(MODELS)("give what they gave in the UNet of %s when given with each", async (model) => {
    const both: GraphEdit = (graph) => shareLatents(fuseAttention(graph));
    expect(await differenceBy(model, both)).toBeLessThan(model.endsWith("fp16") ? 0.01 : 1e-5);
  });

  it.each(MODELS)("are what the UNet of %s then takes, and text for each prompt", (model) => {
    const axes = firstAxes(sharedOf(fileOf(model)), []);
    expect(axes.get("sample")).toBe(ONCE);
    expect(axes.get("encoder_hidden_states")).not.toBe(ONCE);
  });

  it("are not taken where something moves pictures away from the first axis before they meet text", () => {
    const other = withNodes(fileOf("sd15"), "Transpose", withAttribute("perm", { ints: [1, 0, 2, 3] }));
    expect(editGraph(other, [shareLatents])).toBe(other);
  });

  it("are not taken where an operator is not known", () => {
    const other = withNodes(fileOf("sd15"), "Sigmoid", (node) => ({ ...node, op_type: "HardSigmoid" }));
    expect(editGraph(other, [shareLatents])).toBe(other);
  });

  it("are not taken by a network of other inputs", () => {
    const file = fileOf("sd15", "vae_decoder");
    expect(editGraph(file, [shareLatents])).toBe(file);
  });
});

import { describe, expect, it } from "vitest";
import { editGraph } from "./onnx-edit.ts";
import { MODELS } from "./testing.ts";
import { countOf, differenceBy, fileOf, withAttribute, withNodes } from "./testing-graph.ts";
import { upsampleSmall } from "./upsample-small.ts";

const smallOf = (file: Uint8Array) => editGraph(file, [upsampleSmall]);
const WHOLE = MODELS.filter((model) => !model.endsWith("fp16"));

describe("a convolution of what was made twice as large", () => {
  it.each(WHOLE)("gives what the UNet of %s gave when the small picture is convolved", async (model) => {
    expect(await differenceBy(model, upsampleSmall)).toBeLessThan(1e-5);
  });

  it.each(WHOLE)("is four of the small picture wherever the UNet of %s has one", (model) => {
    const file = fileOf(model);
    const small = smallOf(file);
    const times = countOf(file, "Resize");
    expect(times).toBeGreaterThan(0);
    expect(countOf(small, "Resize")).toBe(0);
    expect(countOf(small, "Conv")).toBe(countOf(file, "Conv") + 3 * times);
    expect(smallOf(small)).toBe(small);
  });

  it("stays in halves, which would round the sums of weights", () => {
    const file = fileOf("sd15-fp16");
    expect(countOf(file, "Resize")).toBeGreaterThan(0);
    expect(smallOf(file)).toBe(file);
  });

  const word = (text: string) => ({ s: Buffer.from(text) });
  it.each([
    { kind: "Resize", change: withAttribute("mode", word("linear")), what: "cells that differ" },
    {
      kind: "Resize",
      change: withAttribute("coordinate_transformation_mode", word("half_pixel")),
      what: "cells elsewhere",
    },
    { kind: "Conv", change: withAttribute("pads", { ints: [0, 0, 0, 0] }), what: "other edges" },
    { kind: "Conv", change: withAttribute("strides", { ints: [2, 2] }), what: "other steps" },
    { kind: "Conv", change: withAttribute("group", { i: 2 }), what: "groups of channels" },
  ])("stays where there are $what", ({ kind, change }) => {
    const other = withNodes(fileOf("sd15"), kind, change);
    expect(smallOf(other)).toBe(other);
  });
});

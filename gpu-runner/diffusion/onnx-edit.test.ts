import { describe, expect, it } from "vitest";
import { attribute } from "../models/onnx-schema.ts";
import { editGraph } from "./onnx-edit.ts";
import { nodeOf } from "./onnx-nodes.ts";
import { fileOf, nodesOf, withNodes } from "./testing-graph.ts";

describe("an edit of a graph", () => {
  it("leaves the very same file where there is nothing to do", () => {
    const file = fileOf("sd15");
    expect(editGraph(file, [(graph) => graph])).toBe(file);
  });

  it("leaves out what no output needs", () => {
    const lonely = nodeOf("Identity", ["sample"], "lonely");
    const edited = editGraph(fileOf("sd15"), [(graph) => ({ ...graph, nodes: [...graph.nodes, lonely] })]);
    expect(nodesOf(edited)).toEqual(nodesOf(fileOf("sd15")));
  });

  it("is not made where a node holds a graph of its own, which sees names of the outer one", () => {
    const branch = { ...attribute("then_branch", { i: 0 }), type: 5, g: new Uint8Array() };
    const other = withNodes(fileOf("sd15"), "Erf", (node) => ({ ...node, attribute: [branch] }));
    expect(editGraph(other, [(graph) => ({ ...graph, nodes: [] })])).toBe(other);
  });

  it("says so when a file is no ONNX model", () => {
    expect(() => editGraph(new TextEncoder().encode("<html>"), [])).toThrow(RangeError);
  });
});

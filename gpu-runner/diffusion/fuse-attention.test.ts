import { readFileSync } from "node:fs";
import type { Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { fuseAttention } from "./fuse-attention.ts";
import { type OnnxFileNode, readNode, writeNode } from "./onnx-nodes.ts";
import { createSession, type Edit, type OnnxPart, partOf } from "./onnx-part.ts";
import { fieldOf, fieldsOf } from "./protobuf-fields.ts";
import { type Model, modelDir, MODELS } from "./testing.ts";

/** Field numbers of onnx.proto: the model's graph, the graph's nodes. */
const GRAPH = 7;
const NODE = 1;

const fileOf = (model: Model, part: string) => `${modelDir(model)}/${part}/model.onnx`;

async function open(path: string, edit: Edit | undefined): Promise<OnnxPart> {
  return partOf(await createSession(path, edit, { intraOpNumThreads: 1, logSeverityLevel: 3 }));
}

const graphOf = (file: Uint8Array) =>
  [...fieldsOf(file)].find((field) => field.number === GRAPH)?.value ?? new Uint8Array();

function nodesOf(file: Uint8Array): OnnxFileNode[] {
  const fields = [...fieldsOf(graphOf(file))];
  return fields.flatMap(({ number, value }) => (number === NODE && value ? [readNode(value)] : []));
}

/** The file with each node of a kind changed. */
function withNodes(file: Uint8Array, kind: string, change: (node: OnnxFileNode) => OnnxFileNode): Uint8Array {
  const graph = [...fieldsOf(graphOf(file))].flatMap(({ number, value, whole }) => {
    const node = number === NODE && value ? readNode(value) : undefined;
    return node?.op_type === kind ? fieldOf(NODE, [writeNode(change(node))]) : [whole];
  });
  const others = [...fieldsOf(file)].filter(({ number }) => number !== GRAPH).map(({ whole }) => whole);
  return Buffer.concat([...others, ...fieldOf(GRAPH, graph)]);
}

/** Two pictures of 6 × 10 cells, two prompts of 77 tokens, and something for every other input. */
function feedsOf(part: OnnxPart, channels: number): Record<string, Tensor> {
  const free: Readonly<Record<string, readonly number[]>> = {
    sample: [2, channels, 6, 10],
    encoder_hidden_states: [2, 77],
  };
  const feeds = [...part.inputs.values()].map(({ name, shape }) => {
    const dims = shape.map((size, axis) => (typeof size === "number" ? size : (free[name]?.[axis] ?? 2)));
    const values = Float32Array.from({ length: dims.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * i));
    return [name, part.tensor(name, values, dims)] as const;
  });
  return Object.fromEntries(feeds);
}

describe("attention as one operator", () => {
  it.each(MODELS)("gives what the UNet of %s gave", async (model) => {
    const path = fileOf(model, "unet");
    const [plain, fused] = [await open(path, undefined), await open(path, fuseAttention)];
    const feeds = feedsOf(plain, model === "inpaint9" ? 9 : 4);
    const [before = new Float32Array()] = await plain.run(feeds, ["out_sample"]);
    const [after = new Float32Array()] = await fused.run(feeds, ["out_sample"]);
    expect(after).toHaveLength(before.length);
    const differences = before.map((value, i) => Math.abs(value - (after[i] ?? NaN)));
    // In halves the scale itself was rounded before.
    expect(Math.max(...differences)).toBeLessThan(model.endsWith("fp16") ? 0.01 : 1e-5);
  });

  it.each(MODELS)("stands for every one in the UNet of %s", (model) => {
    const file = readFileSync(fileOf(model, "unet"));
    const count = (of: Uint8Array, kind: string) =>
      nodesOf(of).filter((node) => node.op_type === kind).length;
    const fused = fuseAttention(file);
    expect(count(fused, "Softmax")).toBe(0);
    expect(count(fused, "MultiHeadAttention")).toBe(count(file, "Softmax"));
    expect(fuseAttention(fused)).toBe(fused);
  });

  it("is not taken where there is a mask", () => {
    const file = readFileSync(fileOf("sd15", "text_encoder"));
    expect(nodesOf(file).map((node) => node.op_type)).toContain("Softmax");
    expect(fuseAttention(file)).toBe(file);
  });

  const attribute = (name: string, change: object) => (node: OnnxFileNode) => ({
    ...node,
    attribute: node.attribute.map((one) => (one.name === name ? { ...one, ...change } : one)),
  });
  it.each([
    { kind: "Softmax", change: attribute("axis", { i: 1 }), what: "another axis" },
    { kind: "Transpose", change: attribute("perm", { ints: [0, 1, 2, 3] }), what: "another order" },
    {
      kind: "Mul",
      change: (node: OnnxFileNode) => ({ ...node, input: node.input.toReversed() }),
      what: "another scale",
    },
    {
      kind: "Concat",
      change: (node: OnnxFileNode) => ({ ...node, input: node.input.toReversed() }),
      what: "another shape",
    },
    {
      kind: "Softmax",
      change: (node: OnnxFileNode) => ({ ...node, op_type: "LogSoftmax" }),
      what: "no softmax",
    },
  ])("is not taken for what has $what", ({ kind, change }) => {
    const other = withNodes(readFileSync(fileOf("sd15", "unet")), kind, change);
    expect(fuseAttention(other)).toBe(other);
  });

  it("says so when a file is no ONNX model", () => {
    expect(() => fuseAttention(new TextEncoder().encode("<html>"))).toThrow(RangeError);
  });
});

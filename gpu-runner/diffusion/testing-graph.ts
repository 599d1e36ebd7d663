/** What the tests of edits share: the UNets of the goldens before and after, what they answer, graphs changed a bit. */
import { readFileSync } from "node:fs";
import type { Tensor } from "onnxruntime-node";
import { editGraph, type GraphEdit } from "./onnx-edit.ts";
import { type OnnxFileNode, readNode, writeNode } from "./onnx-nodes.ts";
import { createSession, type Edit, type OnnxPart, partOf } from "./onnx-part.ts";
import { fieldOf, fieldsOf } from "./protobuf-fields.ts";
import { ONCE } from "./share-latents.ts";
import { type Model, modelDir } from "./testing.ts";

/** Field numbers of onnx.proto: the model's graph, the graph's nodes. */
const GRAPH = 7;
const NODE = 1;

const pathOf = (model: Model, part: string) => `${modelDir(model)}/${part}/model.onnx`;
export const fileOf = (model: Model, part = "unet"): Uint8Array => readFileSync(pathOf(model, part));

const graphOf = (file: Uint8Array) =>
  [...fieldsOf(file)].find((field) => field.number === GRAPH)?.value ?? new Uint8Array();

export function nodesOf(file: Uint8Array): OnnxFileNode[] {
  const fields = [...fieldsOf(graphOf(file))];
  return fields.flatMap(({ number, value }) => (number === NODE && value ? [readNode(value)] : []));
}

/** How many nodes of a kind a file has. */
export const countOf = (file: Uint8Array, kind: string): number =>
  nodesOf(file).filter((node) => node.op_type === kind).length;

type Change = (node: OnnxFileNode) => OnnxFileNode;

/** The file with each node of a kind changed. */
export function withNodes(file: Uint8Array, kind: string, change: Change): Uint8Array {
  const graph = [...fieldsOf(graphOf(file))].flatMap(({ number, value, whole }) => {
    const node = number === NODE && value ? readNode(value) : undefined;
    return node?.op_type === kind ? fieldOf(NODE, [writeNode(change(node))]) : [whole];
  });
  const others = [...fieldsOf(file)].filter(({ number }) => number !== GRAPH).map(({ whole }) => whole);
  return Buffer.concat([...others, ...fieldOf(GRAPH, graph)]);
}

export const withAttribute =
  (name: string, change: object): Change =>
  (node) => ({
    ...node,
    attribute: node.attribute.map((one) => (one.name === name ? { ...one, ...change } : one)),
  });

/** What is the same for every prompt. */
const OF_EACH_PICTURE = ["sample", "timestep"];

/** Two pictures of 6 × 10 cells, each with two prompts of 77 tokens, and something for every other input. */
function feedsOf(part: OnnxPart, channels: number): Record<string, Tensor> {
  const free: Readonly<Record<string, readonly number[]>> = {
    sample: [4, channels, 6, 10],
    encoder_hidden_states: [4, 77],
  };
  const feeds = [...part.inputs.values()].map(({ name, shape }) => {
    const dims = shape.map((size, axis) =>
      typeof size === "number" ? size : size === ONCE ? 2 : (free[name]?.[axis] ?? 4),
    );
    const length = dims.reduce((a, b) => a * b, 1);
    const [rows = 1] = dims;
    const turn = OF_EACH_PICTURE.includes(name) ? (length / rows) * 2 : length;
    const values = Float32Array.from({ length }, (_, i) => Math.sin((i % turn) * (i % turn)) + (i % 2));
    return [name, part.tensor(name, values, dims)] as const;
  });
  return Object.fromEntries(feeds);
}

async function answerOf(model: Model, edit?: Edit): Promise<Float32Array> {
  const session = await createSession(pathOf(model, "unet"), edit, {
    intraOpNumThreads: 1,
    logSeverityLevel: 3,
  });
  const part = partOf(session);
  const [answer = new Float32Array()] = await part.run(feedsOf(part, model === "inpaint9" ? 9 : 4), [
    "out_sample",
  ]);
  return answer;
}

/** By how much the answers of a UNet differ at most after an edit. */
export async function differenceBy(model: Model, edit: GraphEdit): Promise<number> {
  const [before, after] = [await answerOf(model), await answerOf(model, (file) => editGraph(file, [edit]))];
  if (after.length !== before.length) return NaN;
  return Math.max(...before.map((value, i) => Math.abs(value - (after[i] ?? NaN))));
}

/**
 * The VAE encoder of diffusers' ONNX layout draws its sample inside the network, from numbers that nobody can set:
 * the same picture would never give the same latents twice. Here the draw becomes zeros, so that what comes out is
 * the mean. Pure.
 */
import { fieldOf, fieldsOf } from "./protobuf-fields.ts";

/** Field numbers of onnx.proto. */
const MODEL = { graph: 7 };
const GRAPH = { node: 1 };
const NODE = { input: 1, output: 2, name: 3, operator: 4 };
const RANDOM = "RandomNormalLike";

const message = (number: number, value: Uint8Array): Uint8Array => Buffer.concat(fieldOf(number, [value]));

/** A message with some of its inner messages exchanged; the very same where none is. */
function edited(bytes: Uint8Array, inner: number, edit: (value: Uint8Array) => Uint8Array): Uint8Array {
  let isChanged = false;
  const parts = [...fieldsOf(bytes)].map(({ number, whole, value }) => {
    if (number !== inner || !value) return whole;
    const after = edit(value);
    if (after === value) return whole;
    isChanged = true;
    return message(number, after);
  });
  return isChanged ? Buffer.concat(parts) : bytes;
}

/** x - x in the place of noise in x's shape. */
function withoutDraw(node: Uint8Array): Uint8Array {
  const fields = [...fieldsOf(node)];
  const valuesOf = (number: number) =>
    fields.flatMap((field) => (field.number === number && field.value ? [field.value] : []));
  const [operator] = valuesOf(NODE.operator);
  const [input] = valuesOf(NODE.input);
  if (!operator || !input || Buffer.from(operator).toString() !== RANDOM) return node;
  return Buffer.concat([
    message(NODE.input, input),
    message(NODE.input, input),
    ...valuesOf(NODE.output).map((output) => message(NODE.output, output)),
    ...valuesOf(NODE.name).map((name) => message(NODE.name, name)),
    message(NODE.operator, Buffer.from("Sub")),
  ]);
}

/** The ONNX file with zeros where it drew normal numbers; the very same where it drew none. @throws {RangeError} */
export function withoutRandomness(file: Uint8Array): Uint8Array {
  return edited(file, MODEL.graph, (graph) => edited(graph, GRAPH.node, withoutDraw));
}

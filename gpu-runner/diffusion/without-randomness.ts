/**
 * The VAE encoder of diffusers' ONNX layout draws its sample inside the network, from numbers that nobody can set:
 * the same picture would never give the same latents twice. Here the draw becomes zeros, so that what comes out is
 * the mean. Works on the file's bytes (protobuf), so that weights are neither parsed nor copied twice. Pure.
 */
import protobuf from "protobufjs";

const BYTES = 2;
/** Field numbers of onnx.proto. */
const MODEL = { graph: 7 };
const GRAPH = { node: 1 };
const NODE = { input: 1, output: 2, name: 3, operator: 4 };
const RANDOM = "RandomNormalLike";

interface Field {
  readonly number: number;
  /** The whole field with its tag. */
  readonly whole: Uint8Array;
  /** Of a field that holds bytes. */
  readonly value: Uint8Array | undefined;
}

/** @throws {RangeError} when the bytes are no message. */
function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  const reader = protobuf.Reader.create(bytes);
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const { number, value } = nextField(reader);
    yield { number, value, whole: bytes.subarray(start, reader.pos) };
  }
}

function nextField(reader: protobuf.Reader): Omit<Field, "whole"> {
  try {
    const tag = reader.uint32();
    const [number, wire] = [tag >>> 3, tag & 7];
    if (wire === BYTES) return { number, value: reader.bytes() };
    reader.skipType(wire);
    return { number, value: undefined };
  } catch (cause) {
    throw new RangeError("no protobuf message", { cause });
  }
}

const message = (number: number, value: Uint8Array): Uint8Array =>
  protobuf.Writer.create()
    .uint32((number << 3) | BYTES)
    .bytes(value)
    .finish();

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

/**
 * The VAE encoder of diffusers' ONNX layout draws its sample inside the network, from numbers that nobody can set:
 * the same picture would never give the same latents twice. Here the draw becomes zeros, so that what comes out is
 * the mean. Works on the file's bytes (protobuf), so that weights are neither parsed nor copied twice. Pure.
 */
const BYTES = 2;
/** Field numbers of onnx.proto. */
const MODEL = { graph: 7 };
const GRAPH = { node: 1 };
const NODE = { input: 1, output: 2, name: 3, operator: 4 };
const RANDOM = "RandomNormalLike";

interface Field {
  readonly number: number;
  readonly wire: number;
  /** Of the whole field with its tag, and of its value, in the message's bytes. */
  readonly start: number;
  readonly from: number;
  readonly to: number;
}

function varint(bytes: Uint8Array, at: number): { value: number; end: number } {
  let [value, scale, end] = [0, 1, at];
  for (; ; scale *= 128) {
    const byte = bytes[end++];
    if (byte === undefined) throw new RangeError("the file ends within a number");
    value += (byte & 127) * scale;
    if (byte < 128) return { value, end };
  }
}

/** Where a value of a wire type ends: a number, 8 bytes, so many bytes, or 4. */
function valueOf(bytes: Uint8Array, wire: number, at: number): { from: number; to: number } {
  if (wire === 0) return { from: at, to: varint(bytes, at).end };
  if (wire === 1) return { from: at, to: at + 8 };
  if (wire === 5) return { from: at, to: at + 4 };
  if (wire !== BYTES) throw new RangeError(`no protobuf: wire type ${wire}`);
  const { value, end } = varint(bytes, at);
  return { from: end, to: end + value };
}

function* fieldsOf(bytes: Uint8Array): Generator<Field> {
  for (let start = 0; start < bytes.length;) {
    const { value: tag, end } = varint(bytes, start);
    const { from, to } = valueOf(bytes, tag % 8, end);
    yield { number: Math.floor(tag / 8), wire: tag % 8, start, from, to };
    start = to;
  }
}

function written(value: number): number[] {
  const bytes: number[] = [];
  for (let left = value; ; left = Math.floor(left / 128)) {
    if (left < 128) return [...bytes, left];
    bytes.push((left % 128) + 128);
  }
}

const message = (number: number, value: Uint8Array): Uint8Array[] => [
  Uint8Array.from([...written(number * 8 + BYTES), ...written(value.length)]),
  value,
];

/** A message with some of its inner messages exchanged; the very same where none is. */
function edited(bytes: Uint8Array, inner: number, edit: (value: Uint8Array) => Uint8Array): Uint8Array {
  let isChanged = false;
  const parts = [...fieldsOf(bytes)].flatMap(({ number, wire, start, from, to }) => {
    const whole = [bytes.subarray(start, to)];
    if (number !== inner || wire !== BYTES) return whole;
    const value = bytes.subarray(from, to);
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
  const of = (number: number) => fields.filter((field) => field.number === number);
  const bytesOf = ({ from, to }: Field) => node.subarray(from, to);
  const [operator] = of(NODE.operator);
  const [input] = of(NODE.input);
  if (!operator || !input || Buffer.from(bytesOf(operator)).toString() !== RANDOM) return node;
  const kept = [input, input, ...of(NODE.output), ...of(NODE.name)];
  return Buffer.concat([
    ...kept.flatMap((field) => message(field.number, bytesOf(field))),
    ...message(NODE.operator, Buffer.from("Sub")),
  ]);
}

/** The ONNX file with zeros where it drew normal numbers; the very same where it drew none. @throws {RangeError} */
export function withoutRandomness(file: Uint8Array): Uint8Array {
  return edited(file, MODEL.graph, (graph) => edited(graph, GRAPH.node, withoutDraw));
}

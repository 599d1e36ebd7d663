/** The nodes of an ONNX file, as far as an edit of its graph asks about them. Pure. */
import {
  attribute,
  type AttributeValue,
  type DecodedAttribute,
  type DecodedTensor,
  FLOAT,
  INTEGER,
  onnxType,
} from "../models/onnx-schema.ts";

const NODE = onnxType("Node");

/** As the file has it. */
export interface OnnxFileNode {
  readonly op_type: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly DecodedAttribute[];
  readonly name?: string;
  readonly domain?: string;
}

/** @throws {Error} when the bytes are no node */
export function readNode(bytes: Uint8Array): OnnxFileNode {
  return NODE.toObject(NODE.decode(bytes), { longs: Number, arrays: true }) as OnnxFileNode;
}

export function writeNode(node: OnnxFileNode): Uint8Array {
  return NODE.encode(NODE.fromObject(node)).finish();
}

export const attributeOf = (node: OnnxFileNode, name: string): DecodedAttribute | undefined =>
  node.attribute.find((attribute) => attribute.name === name);

/** Nodes of a loop or a branch see names of the graph round them. */
export const holdsGraph = ({ attribute }: OnnxFileNode): boolean =>
  attribute.some(({ g, graphs = [] }) => g !== undefined || graphs.length > 0);

type Attributes = Readonly<Record<string, AttributeValue>>;

/** A new node of one output, whose name it bears. */
export function nodeOf(
  op_type: string,
  input: readonly string[],
  output: string,
  attributes: Attributes = {},
): OnnxFileNode {
  const made = Object.entries(attributes).map(([name, value]) => attribute(name, value));
  return { op_type, name: output, input, output: [output], attribute: made };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array | BigInt64Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** A new constant of whole numbers. */
export function wholeNumbers(output: string, values: readonly number[]): OnnxFileNode {
  const raw_data = bytesOf(BigInt64Array.from(values, BigInt));
  return nodeOf("Constant", [], output, {
    value: { t: { dims: [values.length], data_type: INTEGER, raw_data } },
  });
}

/** A new constant of floats, by rows. */
export function floatRows(output: string, rows: readonly (readonly number[])[]): OnnxFileNode {
  const raw_data = bytesOf(Float32Array.from(rows.flat()));
  const dims = [rows.length, rows[0]?.length ?? 0];
  return nodeOf("Constant", [], output, { value: { t: { dims, data_type: FLOAT, raw_data } } });
}

const READ: Readonly<Record<number, readonly [bytes: number, (data: DataView, at: number) => number]>> = {
  [FLOAT]: [4, (data, at) => data.getFloat32(at, true)],
  [INTEGER]: [8, (data, at) => Number(data.getBigInt64(at, true))],
};

function valuesOf({ data_type = 0, raw_data: raw }: DecodedTensor): readonly number[] | undefined {
  const [bytes, read] = READ[data_type] ?? [];
  if (!raw || !bytes || !read) return undefined;
  const data = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  return Array.from({ length: raw.byteLength / bytes }, (_, i) => read(data, i * bytes));
}

/** The values of a constant node of floats or 64-bit numbers; undefined for all else. */
export function constantsOf(node: OnnxFileNode | undefined): readonly number[] | undefined {
  const tensor = node?.op_type === "Constant" ? attributeOf(node, "value")?.t : undefined;
  return tensor && valuesOf(tensor);
}

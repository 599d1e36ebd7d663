/** The nodes of an ONNX file, as far as an edit of its graph asks about them. Pure. */
import protobuf from "protobufjs";

/** Field names and numbers are those of onnx.proto; fields that are not listed are not read. */
const { root } = protobuf.parse(
  `
syntax = "proto2";
message Tensor {
  repeated int64 dims = 1;
  optional int32 data_type = 2;
  optional bytes raw_data = 9;
}
message Attribute {
  optional string name = 1;
  optional int64 i = 3;
  optional Tensor t = 5;
  optional bytes g = 6;
  repeated int64 ints = 8;
  repeated bytes graphs = 11;
  optional int32 type = 20;
}
message Node {
  repeated string input = 1;
  repeated string output = 2;
  optional string name = 3;
  optional string op_type = 4;
  repeated Attribute attribute = 5;
  optional string domain = 7;
}`,
  { keepCase: true },
);
const NODE = root.lookupType("Node");

interface Tensor {
  readonly dims?: readonly number[];
  readonly data_type?: number;
  readonly raw_data?: Uint8Array;
}

interface Attribute {
  readonly name: string;
  readonly i?: number;
  readonly t?: Tensor;
  readonly g?: Uint8Array;
  readonly ints?: readonly number[];
  readonly graphs?: readonly Uint8Array[];
  readonly type?: number;
}

/** As the file has it. */
export interface OnnxFileNode {
  readonly op_type: string;
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly Attribute[];
  readonly name?: string;
  readonly domain?: string;
}

export function readNode(bytes: Uint8Array): OnnxFileNode {
  const node = NODE.toObject(NODE.decode(bytes), { longs: Number, arrays: true });
  return { op_type: "", ...node } as OnnxFileNode;
}

export function writeNode(node: OnnxFileNode): Uint8Array {
  return NODE.encode(NODE.fromObject(node)).finish();
}

export const attributeOf = (node: OnnxFileNode, name: string): Attribute | undefined =>
  node.attribute.find((attribute) => attribute.name === name);

/** Nodes of a loop or a branch see names of the graph round them. */
export const holdsGraph = ({ attribute }: OnnxFileNode): boolean =>
  attribute.some(({ g, graphs = [] }) => g !== undefined || graphs.length > 0);

const VALUES: Readonly<Record<number, (data: DataView) => number>> = {
  1: (data) => data.getFloat32(0, true),
  7: (data) => Number(data.getBigInt64(0, true)),
};

/** The value of a constant node of one float or one 64-bit number; undefined for all else. */
export function constantOf(node: OnnxFileNode | undefined): number | undefined {
  const tensor = node?.op_type === "Constant" ? attributeOf(node, "value")?.t : undefined;
  const { dims = [], data_type = 0, raw_data: raw } = tensor ?? {};
  if (!raw || dims.some((size) => size !== 1)) return undefined;
  return VALUES[data_type]?.(new DataView(raw.buffer, raw.byteOffset, raw.byteLength));
}

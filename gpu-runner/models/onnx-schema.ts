/**
 * The part of the ONNX file format that is read and written here (what the converters write: IR version 8, opset 17).
 * Field numbers are the format's own; see github.com/onnx/onnx, file onnx/onnx.proto.
 */
import protobuf from "protobufjs";

const PROTO = `
syntax = "proto2";
message Attribute {
  required string name = 1;
  optional float f = 2;
  optional int64 i = 3;
  optional bytes s = 4;
  optional Tensor t = 5;
  optional bytes g = 6;
  repeated float floats = 7;
  repeated int64 ints = 8;
  repeated bytes strings = 9;
  repeated bytes graphs = 11;
  required int32 type = 20;
}
message Node {
  repeated string input = 1;
  repeated string output = 2;
  optional string name = 3;
  required string op_type = 4;
  repeated Attribute attribute = 5;
  optional string domain = 7;
}
message Tensor {
  repeated int64 dims = 1;
  required int32 data_type = 2;
  optional string name = 8;
  optional bytes raw_data = 9;
}
message Dimension { optional int64 dim_value = 1; optional string dim_param = 2; }
message Shape { repeated Dimension dim = 1; }
message TensorType { required int32 elem_type = 1; required Shape shape = 2; }
message Type { required TensorType tensor_type = 1; }
message ValueInfo { required string name = 1; required Type type = 2; }
message Graph {
  repeated Node node = 1;
  required string name = 2;
  repeated Tensor initializer = 5;
  repeated ValueInfo input = 11;
  repeated ValueInfo output = 12;
}
message OperatorSet { optional string domain = 1; required int64 version = 2; }
message Model {
  required int64 ir_version = 1;
  optional string producer_name = 2;
  required Graph graph = 7;
  repeated OperatorSet opset_import = 8;
}`;

const { root } = protobuf.parse(PROTO, { keepCase: true });

/** Of a file's messages. Fields have the format's own names; those that are not listed here are lost. */
export const onnxType = (name: "Model" | "Node" | "Tensor" | "ValueInfo"): protobuf.Type =>
  root.lookupType(name);

/** A whole file. */
export const onnxModel = (): protobuf.Type => onnxType("Model");

/** Of a tensor's values. */
export const FLOAT = 1;
export const HALF = 10;
export const INTEGER = 7;

/** What of a decoded file is edited: these messages, with whatever else they hold. */
export interface DecodedNode {
  input: string[];
  output: string[];
  readonly op_type: string;
}

export interface DecodedPicture {
  readonly name: string;
  readonly type: { readonly tensor_type: { readonly shape: { readonly dim: object[] } } };
}

export interface DecodedGraph {
  node: DecodedNode[];
  initializer: DecodedWeights[];
  readonly input: readonly DecodedPicture[];
  output: DecodedPicture[];
}

/** A tensor that a graph holds by its name. */
export interface DecodedWeights {
  name: string;
  readonly data_type: number;
  readonly dims?: readonly unknown[];
  raw_data?: Uint8Array;
}

export interface DecodedModel {
  readonly graph: DecodedGraph;
}

/** A file to be edited: whole numbers of 64 bits stay as exact as they are. @throws {Error} when it is none */
export const decodeModel = (file: Uint8Array): DecodedModel =>
  onnxModel().toObject(onnxModel().decode(file)) as DecodedModel;

/** The edited file. */
export const encodeModel = (model: DecodedModel): Uint8Array => onnxModel().encode(model).finish();

const ATTRIBUTE_TYPES = { f: 1, i: 2, s: 3, t: 4, ints: 7 } as const;

/** As a node or a graph holds it. */
export interface DecodedTensor {
  readonly dims?: readonly number[];
  readonly data_type?: number;
  readonly raw_data?: Uint8Array;
}

export type AttributeValue =
  | { readonly f: number }
  | { readonly i: number }
  | { readonly s: string }
  | { readonly t: DecodedTensor }
  | { readonly ints: readonly number[] };

export interface OnnxNode {
  readonly op: string;
  readonly inputs: readonly string[];
  /** Also the node's name. */
  readonly output: string;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly number[];
  readonly values: Float32Array;
}

/** One picture in, one out, both float32 [1, 3, height, width]; sizes are left open. */
export interface OnnxGraph {
  readonly name: string;
  readonly input: string;
  readonly output: string;
  readonly nodes: readonly OnnxNode[];
  readonly tensors: readonly OnnxTensor[];
}

/** As a node has it. */
export interface DecodedAttribute {
  readonly name: string;
  readonly type: number;
  readonly f?: number;
  readonly i?: number;
  readonly s?: Uint8Array;
  readonly t?: DecodedTensor;
  readonly g?: Uint8Array;
  readonly ints?: readonly number[];
  readonly graphs?: readonly Uint8Array[];
}

/** One of a node that is made here. */
export function attribute(name: string, value: AttributeValue): DecodedAttribute {
  if ("f" in value) return { name, f: value.f, type: ATTRIBUTE_TYPES.f };
  if ("i" in value) return { name, i: value.i, type: ATTRIBUTE_TYPES.i };
  if ("s" in value) return { name, s: new TextEncoder().encode(value.s), type: ATTRIBUTE_TYPES.s };
  if ("t" in value) return { name, t: value.t, type: ATTRIBUTE_TYPES.t };
  return { name, ints: value.ints, type: ATTRIBUTE_TYPES.ints };
}

function picture(name: string, prefix: string): Record<string, unknown> {
  const dim = [
    { dim_value: 1 },
    { dim_value: 3 },
    { dim_param: `${prefix}height` },
    { dim_param: `${prefix}width` },
  ];
  return { name, type: { tensor_type: { elem_type: FLOAT, shape: { dim } } } };
}

/** The same graph gives the same bytes, so the file's checksum can stand in the catalogue. */
export function encodeOnnx(graph: OnnxGraph): Uint8Array {
  const schema = onnxModel();
  const message = schema.fromObject({
    ir_version: 8,
    producer_name: "opal",
    opset_import: [{ domain: "", version: 17 }],
    graph: {
      name: graph.name,
      node: graph.nodes.map((node) => ({
        input: node.inputs,
        output: [node.output],
        name: node.output,
        op_type: node.op,
        attribute: Object.entries(node.attributes).map(([name, value]) => attribute(name, value)),
      })),
      initializer: graph.tensors.map(({ name, dims, values }) => ({
        dims,
        data_type: FLOAT,
        name,
        raw_data: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      })),
      input: [picture(graph.input, "")],
      output: [picture(graph.output, "out_")],
    },
  });
  return schema.encode(message).finish();
}

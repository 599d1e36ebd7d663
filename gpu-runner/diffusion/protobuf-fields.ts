/** Protobuf messages field by field, so that weights are neither parsed nor copied on the way. Pure. */
import protobuf from "protobufjs";

const BYTES = 2;

export interface Field {
  readonly number: number;
  /** The whole field with its tag. */
  readonly whole: Uint8Array;
  /** Of a field that holds bytes. */
  readonly value: Uint8Array | undefined;
}

/** @throws {RangeError} when the bytes are no message. */
export function* fieldsOf(bytes: Uint8Array): Generator<Field> {
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

/** A field that holds what the parts make together; tag and length come before them as one more. */
export function fieldOf(number: number, parts: readonly Uint8Array[]): Uint8Array[] {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const head = protobuf.Writer.create()
    .uint32((number << 3) | BYTES)
    .uint32(length)
    .finish();
  return [head, ...parts];
}

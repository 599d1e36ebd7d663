/// <reference lib="esnext.float16" />
/**
 * 16-bit floats (IEEE 754 binary16), as ONNX networks of half precision take and give them: their codes in a
 * Uint16Array. Rounded to the nearest, ties to even; what is too large becomes infinite.
 */

export function toHalf(values: Float32Array): Uint16Array {
  return new Uint16Array(new Float16Array(values).buffer);
}

export function fromHalf(codes: Uint16Array): Float32Array {
  return new Float32Array(new Float16Array(codes.buffer, codes.byteOffset, codes.length));
}

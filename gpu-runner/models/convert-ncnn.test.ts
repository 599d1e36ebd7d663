import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { convertNcnn } from "./convert-ncnn.ts";

/** Every kind of layer and of weights that the converter knows, in one small network. */
const PARAM = `7767517
11 15
Input            data     0 1 data
Convolution      first    1 1 data a 0=4 1=3 4=1 5=1 6=108
Split            copies   1 4 a a0 a1 a2 a3
Convolution      leaky    1 1 a0 b 0=2 1=3 4=1 5=1 6=72 9=2 -23310=1,2.000000e-01
Concat           both     2 1 a1 b c
Convolution      fused    1 1 c d 0=4 1=1 4=0 6=24 9=1
Eltwise          residual 2 1 d a2 e 0=1 -23301=2,2.000000e-01,1.000000e+00
BinaryOp         sum      2 1 e a3 f
BinaryOp         half     1 1 f g 0=2 1=1 2=5.000000e-01
Interp           large    1 1 g h 0=1 1=2.000000e+00 2=2.000000e+00
Convolution      last     1 1 h output 0=3 1=3 4=1 5=1 6=108
`;

/** Every 15th value of what ncnn 1.0.20261020 itself computes from the same files and picture. */
const BY_NCNN = [
  0.146068, 0.157245, 0.100863, 0.181282, 0.168581, 0.070405, -0.377233, -0.233761, -0.262718, -0.158437,
  -0.188498, -0.01184, -0.152647, -0.03771, -0.095974, 0.050436,
];

/** Multiples of 1/64, so that 16 bits hold them exactly. */
const weight = (i: number, seed: number) => ((((i + seed) * 37) % 29) - 14) / 64;

function floats(count: number, seed: number): Buffer {
  const bytes = Buffer.alloc(4 * count);
  for (let i = 0; i < count; i++) bytes.writeFloatLE(weight(i, seed), 4 * i);
  return bytes;
}

/** A multiple of 1/64 of at most 14/64 as IEEE 754 half precision. */
function halfBits(value: number): number {
  if (value === 0) return 0;
  const exponent = Math.floor(Math.log2(Math.abs(value)));
  const fraction = (Math.abs(value) / 2 ** exponent - 1) * 1024;
  return (value < 0 ? 0x8000 : 0) | ((exponent + 15) << 10) | fraction;
}

function halves(count: number, seed: number): Buffer {
  const bytes = Buffer.alloc(2 * count);
  for (let i = 0; i < count; i++) bytes.writeUInt16LE(halfBits(weight(i, seed)), 2 * i);
  return bytes;
}

const AS_HALVES = Buffer.from([0x47, 0x6b, 0x30, 0x01]);
const AS_FLOATS = Buffer.alloc(4);

const WEIGHTS = Buffer.concat(
  [
    [AS_HALVES, halves(108, 1), floats(4, 2)],
    [AS_FLOATS, floats(72, 3), floats(2, 4)],
    [AS_FLOATS, floats(24, 5)],
    [AS_HALVES, halves(108, 6), floats(3, 7)],
  ].flat(),
);

const convert = (param = PARAM, weights: Uint8Array = WEIGHTS) =>
  convertNcnn({ param, weights, name: "test" });

describe("convertNcnn", () => {
  it("computes what ncnn computes", async () => {
    const session = await InferenceSession.create(convert(), { logSeverityLevel: 3 });
    const picture = Float32Array.from({ length: 3 * 4 * 5 }, (_, i) => ((i * 53) % 101) / 128);
    const { upscaled } = await session.run({ image: new Tensor("float32", picture, [1, 3, 4, 5]) });
    expect(upscaled?.dims).toEqual([1, 3, 8, 10]);
    const values = upscaled?.data as Float32Array;
    BY_NCNN.forEach((expected, i) => {
      expect(values[15 * i]).toBeCloseTo(expected, 5);
    });
  });

  it("writes the same bytes each time", () => {
    expect(convert()).toEqual(convert());
  });

  it.each([
    ["another format", PARAM.replace("7767517", "7767516"), "its first line is another"],
    ["a list that is cut off", PARAM.trimEnd().slice(0, -70), "counts 11 layers and lists 10"],
    [
      "a layer that it does not know",
      PARAM.replace("Eltwise ", "PReLU "),
      '"residual" is of an unknown kind: PReLU',
    ],
    [
      "a stride",
      PARAM.replace("4=1 5=1 6=72", "3=2 4=1 5=1 6=72"),
      "a stride or a dilation is not supported",
    ],
    ["an activation that it does not know", PARAM.replace("9=1", "9=4"), "activation 4 is not supported"],
    ["bilinear enlargement", PARAM.replace("h 0=1 1=2", "h 0=2 1=2"), "another interpolation than nearest"],
    ["an input out of order", PARAM.replace("2 1 a1 b c", "2 1 a1 g c"), 'stands before its input "g"'],
    ["a model without an output", PARAM.replace("h output", "h result"), 'no output named "output"'],
  ])("refuses %s", (_, param, message) => {
    expect(() => convert(param)).toThrow(message);
  });

  it("refuses weights that do not fit or are stored in another way", () => {
    expect(() => convert(PARAM, WEIGHTS.subarray(0, -4))).toThrow('the weights end inside "last"');
    expect(() => convert(PARAM, Buffer.concat([WEIGHTS, AS_FLOATS]))).toThrow("4 bytes of weights are left");
    const tagged = Buffer.from(WEIGHTS);
    tagged[0] = 1;
    expect(() => convert(PARAM, tagged)).toThrow('"first" are stored in a way that is not supported');
  });
});

import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import { FLOAT, HALF, onnxModel } from "./onnx-schema.ts";
import { inWholeFloats } from "./whole-floats.ts";

const INT = 2;
const ONE_AND_A_HALF = 0x3e00;

const cast = (from: string, to: string, type: number) => ({
  input: [from],
  output: [to],
  op_type: "Cast",
  attribute: [{ name: "to", i: type, type: INT }],
});

const picture = (name: string) => ({
  name,
  type: { tensor_type: { elem_type: FLOAT, shape: { dim: [{ dim_value: 4 }] } } },
});

/** Adds one and a half, and takes the opposite: in halves from end to end. */
function inHalves(weights: object): Uint8Array {
  const schema = onnxModel();
  const message = schema.fromObject({
    ir_version: 8,
    opset_import: [{ domain: "", version: 15 }],
    graph: {
      name: "tiny",
      node: [
        cast("picture", "halves", HALF),
        { input: ["halves", "weights"], output: ["sum"], op_type: "Add" },
        cast("sum", "whole", FLOAT),
        { input: ["whole"], output: ["opposite"], op_type: "Neg" },
        cast("opposite", "opposite halves", HALF),
        cast("opposite halves", "output", FLOAT),
      ],
      initializer: [{ name: "weights", dims: [1], ...weights }],
      input: [picture("picture")],
      output: [picture("output")],
    },
  });
  return schema.encode(message).finish();
}

const HALVES = inHalves({
  data_type: HALF,
  raw_data: new Uint8Array(Uint16Array.of(ONE_AND_A_HALF).buffer),
});

async function run(file: Uint8Array, values: readonly number[]) {
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const { output } = await session.run({ picture: new Tensor("float32", values, [4]) });
  return Array.from((output?.data ?? []) as Float32Array);
}

it("computes the same, and rounds nothing to halves between layers", async () => {
  const values = [0, 1, -2.5, 4096.25];
  const exact = values.map((value) => -value - 1.5);
  expect(await run(HALVES, values)).not.toEqual(exact);
  expect(await run(inWholeFloats(HALVES), values)).toEqual(exact);
});

it("leaves a network without halves as it is", () => {
  const whole = inHalves({ data_type: FLOAT, raw_data: new Uint8Array(Float32Array.of(1.5).buffer) });
  expect(inWholeFloats(whole)).toBe(whole);
});

import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import { convertIsnet } from "./convert-isnet.ts";
import { FLOAT, onnxModel } from "./onnx-schema.ts";

/** A picture is halved and enlarged again to the size that was baked in, as IS-Net's maps are. */
const SIDE = 8;
const INT64 = 7;
const [STRING, INTS] = [3, 7];

function published(): Uint8Array {
  const map = (name: string, side: number) => ({
    name,
    type: {
      tensor_type: {
        elem_type: FLOAT,
        shape: { dim: [1, 3, side, side].map((dim_value) => ({ dim_value })) },
      },
    },
  });
  const text = (name: string, value: string) => ({ name, s: new TextEncoder().encode(value), type: STRING });
  const twos = (name: string) => ({ name, ints: [2, 2], type: INTS });
  const schema = onnxModel();
  const message = schema.fromObject({
    ir_version: 8,
    opset_import: [{ domain: "", version: 15 }],
    graph: {
      name: "tiny",
      node: [
        {
          input: ["picture"],
          output: ["halved"],
          op_type: "MaxPool",
          attribute: [twos("kernel_shape"), twos("strides")],
        },
        { input: ["halved"], output: ["side"], op_type: "Neg" },
        {
          input: ["halved", "", "", "sizes"],
          output: ["output"],
          op_type: "Resize",
          attribute: [text("mode", "linear"), text("coordinate_transformation_mode", "half_pixel")],
        },
      ],
      initializer: [
        {
          name: "sizes",
          dims: [4],
          data_type: INT64,
          raw_data: new Uint8Array(BigInt64Array.from([1n, 3n, 8n, 8n]).buffer),
        },
      ],
      input: [map("picture", SIDE)],
      output: [map("side", SIDE / 2), map("output", SIDE)],
    },
  });
  return schema.encode(message).finish();
}

async function run(session: InferenceSession, width: number, height: number) {
  const data = Float32Array.from({ length: 3 * width * height }, (_, i) => (i * 37) % 101);
  const { output } = await session.run({ picture: new Tensor("float32", data, [1, 3, height, width]) }, [
    "output",
  ]);
  return output;
}

it("opens the sides, keeps the one output and computes the same", async () => {
  const before = await InferenceSession.create(published());
  const after = await InferenceSession.create(convertIsnet(published(), "output"));
  expect(after.outputNames).toEqual(["output"]);
  expect((await run(after, SIDE, SIDE))?.data).toEqual((await run(before, SIDE, SIDE))?.data);
  expect((await run(after, 12, 6))?.dims).toEqual([1, 3, 6, 12]);
  await expect(run(before, 12, 6)).rejects.toThrow();
});

it("refuses a network without that output", () => {
  expect(() => convertIsnet(published(), "mask")).toThrow(/no output "mask"/);
});

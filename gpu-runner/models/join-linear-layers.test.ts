import { InferenceSession, Tensor } from "onnxruntime-node";
import { expect, it } from "vitest";
import { randomAt } from "../pipeline/noise.ts";
import { withLinearLayersJoined } from "./join-linear-layers.ts";
import { OnnxGraphBuilder } from "./onnx-graph.ts";
import { encodeOnnx, onnxModel } from "./onnx-schema.ts";

const SIDE = 32;
/** So far does the network below look: three pixels, and three behind the bend. */
const REACH = 6;

function convolution(
  graph: OnnxGraphBuilder,
  from: string,
  to: string,
  [o, i, side]: [number, number, number],
) {
  const draw = (seed: number, count: number) =>
    Float32Array.from({ length: count }, (_, n) => randomAt(seed, n, graph.tensors.length) - 0.5);
  const kernel = graph.tensor(`${to}/kernel`, [o, i, side, side], draw(1, o * i * side ** 2));
  const bias = graph.tensor(`${to}/bias`, [o], draw(2, o));
  const pad = (side - 1) / 2;
  graph.add("Conv", [from, kernel, bias], to, {
    kernel_shape: { ints: [side, side] },
    pads: { ints: [pad, pad, pad, pad] },
  });
}

const fileOf = ({ nodes, tensors }: OnnxGraphBuilder) =>
  encodeOnnx({ name: "test", input: "image", output: "upscaled", nodes, tensors });

/** Convolutions one after another, a bend that is added beside what it bends, and a chain up to the end. */
function network(): Uint8Array {
  const graph = new OnnxGraphBuilder();
  convolution(graph, "image", "wide", [8, 3, 3]);
  convolution(graph, "wide", "wider", [8, 8, 3]);
  convolution(graph, "wider", "narrow", [2, 8, 3]);
  graph.add("Relu", ["narrow"], "bent");
  graph.add("Concat", ["wider", "bent"], "both", { axis: { i: 1 } });
  convolution(graph, "both", "fused", [8, 10, 1]);
  graph.add("Sum", ["fused", "wide"], "sum");
  convolution(graph, "sum", "even", [8, 8, 3]);
  convolution(graph, "even", "upscaled", [3, 8, 5]);
  return fileOf(graph);
}

async function run(file: Uint8Array): Promise<Float32Array> {
  const session = await InferenceSession.create(file, { logSeverityLevel: 3 });
  const values = Float32Array.from({ length: 3 * SIDE ** 2 }, (_, i) => randomAt(3, i, 0));
  const { upscaled } = await session.run({ image: new Tensor("float32", values, [1, 3, SIDE, SIDE]) });
  return upscaled?.data as Float32Array;
}

function operators(file: Uint8Array): string[] {
  const { graph } = onnxModel().toObject(onnxModel().decode(file)) as {
    graph: { node: { op_type: string }[] };
  };
  return graph.node.map(({ op_type }) => op_type);
}

it("computes the same in fewer convolutions, but for the rim", async () => {
  const file = network();
  const joined = withLinearLayersJoined(file);
  expect(operators(joined)).toEqual(["Conv", "Relu", "Conv", "Conv", "Add"]);
  const [before, after] = [await run(file), await run(joined)];
  for (const [i, value] of after.entries()) {
    const [x, y] = [i % SIDE, Math.floor(i / SIDE) % SIDE];
    if (Math.min(x, y, SIDE - 1 - x, SIDE - 1 - y) < REACH) continue;
    expect(Math.abs(value - (before[i] ?? 0))).toBeLessThan(1e-4);
  }
});

it("leaves alone what is no plain convolution", async () => {
  const graph = new OnnxGraphBuilder();
  convolution(graph, "image", "small", [3, 3, 3]);
  // Without padding it makes the picture smaller.
  graph.add("Conv", ["small", "small/kernel", "small/bias"], "upscaled", {
    kernel_shape: { ints: [3, 3] },
  });
  const file = fileOf(graph);
  const joined = withLinearLayersJoined(file);
  expect(operators(joined)).toEqual(["Conv", "Conv"]);
  expect(await run(joined)).toEqual(await run(file));
});

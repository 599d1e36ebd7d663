import { InferenceSession, Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import { randomAt } from "../pipeline/noise.ts";
import { convertEsrgan, RESIDUAL_SCALE } from "./convert-esrgan.ts";

/** Channels-last picture: [height][width][channel] in one array. */
interface Picture {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly values: readonly number[];
}

interface TestLayer {
  readonly class_name: string;
  readonly name: string;
  readonly config: Record<string, unknown>;
  readonly from: readonly string[];
}

const conv = (
  name: string,
  from: string,
  [filters, kernel]: [number, number],
  activation = "linear",
): TestLayer => ({
  class_name: "Conv2D",
  name,
  from: [from],
  config: {
    filters,
    kernel_size: [kernel, kernel],
    strides: [1, 1],
    padding: "same",
    data_format: "channels_last",
    dilation_rate: [1, 1],
    groups: 1,
    activation,
    use_bias: true,
  },
});
const layer = (class_name: string, name: string, from: readonly string[], config = {}): TestLayer => ({
  class_name,
  name,
  from,
  config,
});

/** Every kind of layer that the converter knows, in one small network. */
const LAYERS: readonly TestLayer[] = [
  layer("InputLayer", "LR", []),
  conv("first", "LR", [4, 3]),
  conv("second", "first", [2, 5], "relu"),
  layer("Activation", "first_relu", ["first"], { activation: "relu" }),
  layer("Concatenate", "both", ["first_relu", "second"], { axis: 3 }),
  conv("fused", "both", [4, 1]),
  layer("MultiplyBeta", "scaled", ["fused"]),
  layer("Add", "sum", ["scaled", "first"]),
  conv("wide", "sum", [12, 3]),
  layer("PixelShuffle2x", "shuffled", ["wide"]),
  layer("UpSampling2D", "large", ["shuffled"], { size: [2, 2], interpolation: "nearest" }),
  conv("SR", "large", [3, 3]),
];

const INPUT_CHANNELS: Record<string, number> = { first: 3, second: 4, fused: 6, wide: 4, SR: 3 };

interface TestWeights {
  readonly kernel: number[];
  readonly bias: number[];
}

function weightsOf({ name, config }: TestLayer, index: number): TestWeights {
  const size = (config["kernel_size"] as number[])[0] ?? 0;
  const filters = config["filters"] as number;
  const count = size * size * (INPUT_CHANNELS[name] ?? 0) * filters;
  const draw = (seed: number, n: number) =>
    Array.from({ length: n }, (_, i) => Math.fround(randomAt(seed, i, index) - 0.5));
  return { kernel: draw(1, count), bias: draw(2, filters) };
}

function model() {
  const convs = LAYERS.map((l, i) => [l, i] as const).filter(([l]) => l.class_name === "Conv2D");
  const weights = new Map(convs.map(([l, i]) => [l.name, weightsOf(l, i)]));
  const manifest = convs.flatMap(([l]) => {
    const size = (l.config["kernel_size"] as number[])[0] ?? 0;
    const filters = l.config["filters"] as number;
    return [
      { name: `${l.name}/kernel`, shape: [size, size, INPUT_CHANNELS[l.name], filters], dtype: "float32" },
      { name: `${l.name}/bias`, shape: [filters], dtype: "float32" },
    ];
  });
  const values = convs.flatMap(([l]) => [
    ...(weights.get(l.name)?.kernel ?? []),
    ...(weights.get(l.name)?.bias ?? []),
  ]);
  const layers = LAYERS.map(({ class_name, name, config, from }) => ({
    class_name,
    name,
    config,
    inbound_nodes: from.length === 0 ? [] : [from.map((source) => [source, 0, 0, {}])],
  }));
  const json = {
    modelTopology: { model_config: { config: { layers, output_layers: [["SR", 0, 0]] } } },
    weightsManifest: [{ paths: ["a.bin"], weights: manifest }],
  };
  return { json, weights, shards: new Uint8Array(Float32Array.from(values).buffer) };
}

type Forward = (inputs: readonly Picture[], layer: TestLayer, weights: TestWeights | undefined) => Picture;

const NONE: Picture = { height: 0, width: 0, channels: 0, values: [] };
const relu = (value: number) => Math.max(0, value);
const map = (p: Picture, f: (value: number, i: number) => number): Picture => ({
  ...p,
  values: p.values.map(f),
});

/** The same layers, written a second time in the plainest way, channels last as TensorFlow defines them. */
const FORWARD: Record<string, Forward> = {
  Conv2D: ([a = NONE], { config }, weights = { kernel: [], bias: [] }) => {
    const [size = 0] = config["kernel_size"] as number[];
    const out = convolve(a, weights, config["filters"] as number, size);
    return config["activation"] === "relu" ? map(out, relu) : out;
  },
  Activation: ([a = NONE]) => map(a, relu),
  MultiplyBeta: ([a = NONE]) => map(a, (value) => value * RESIDUAL_SCALE),
  Add: ([a = NONE, b = NONE]) => map(a, (value, i) => value + (b.values[i] ?? 0)),
  Concatenate: ([a = NONE, b = NONE]) =>
    gather(a.height, a.width, a.channels + b.channels, (y, x, c) =>
      c < a.channels ? at(a, y, x, c) : at(b, y, x, c - a.channels),
    ),
  UpSampling2D: ([a = NONE]) =>
    gather(a.height * 2, a.width * 2, a.channels, (y, x, c) => at(a, y >> 1, x >> 1, c)),
  PixelShuffle2x: ([a = NONE]) =>
    gather(a.height * 2, a.width * 2, a.channels / 4, (y, x, c) =>
      at(a, y >> 1, x >> 1, ((y & 1) * 2 + (x & 1)) * (a.channels / 4) + c),
    ),
};

function forward(input: Picture, weights: ReadonlyMap<string, TestWeights>, range: number): Picture {
  const done = new Map([["LR", map(input, (value) => value * range)]]);
  for (const layer of LAYERS.slice(1)) {
    const inputs = layer.from.map((source) => done.get(source) ?? NONE);
    const made = FORWARD[layer.class_name]?.(inputs, layer, weights.get(layer.name));
    done.set(layer.name, made ?? NONE);
  }
  return map(done.get("SR") ?? NONE, (value) => value / range);
}

const at = (p: Picture, y: number, x: number, c: number) => p.values[(y * p.width + x) * p.channels + c] ?? 0;

function gather(
  height: number,
  width: number,
  channels: number,
  f: (y: number, x: number, c: number) => number,
): Picture {
  const values: number[] = [];
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) for (let c = 0; c < channels; c++) values.push(f(y, x, c));
  return { height, width, channels, values };
}

function convolve(p: Picture, { kernel, bias }: TestWeights, filters: number, size: number): Picture {
  const half = (size - 1) / 2;
  return gather(p.height, p.width, filters, (y, x, f) => {
    let sum = bias[f] ?? 0;
    for (let ky = 0; ky < size; ky++) {
      for (let kx = 0; kx < size; kx++) {
        const [row, column] = [y + ky - half, x + kx - half];
        if (row < 0 || column < 0 || row >= p.height || column >= p.width) continue;
        for (let c = 0; c < p.channels; c++) {
          sum += at(p, row, column, c) * (kernel[((ky * size + kx) * p.channels + c) * filters + f] ?? 0);
        }
      }
    }
    return sum;
  });
}

describe("convertEsrgan", () => {
  it.each([1, 255] as const)("computes what the layers say, trained on 0..%i", async (range) => {
    const { json, weights, shards } = model();
    const session = await InferenceSession.create(convertEsrgan({ json, shards, name: "test" }, range), {
      logSeverityLevel: 3,
    });
    const input = gather(6, 7, 3, (y, x, c) => randomAt(3, x + 10 * c, y));
    const planar = Float32Array.from({ length: 3 * 42 }, (_, i) =>
      at(input, Math.floor((i % 42) / 7), i % 7, Math.floor(i / 42)),
    );
    const { upscaled } = await session.run({ image: new Tensor("float32", planar, [1, 3, 6, 7]) });
    const expected = forward(input, weights, range);
    expect(upscaled?.dims).toEqual([1, 3, 24, 28]);
    const values = upscaled?.data as Float32Array;
    for (let i = 0; i < values.length; i++) {
      const [c, y, x] = [Math.floor(i / 672), Math.floor((i % 672) / 28), i % 28];
      expect(Math.abs((values[i] ?? 0) - at(expected, y, x, c))).toBeLessThan(1e-4);
    }
  });

  it("writes the same bytes each time", () => {
    const { json, shards } = model();
    const once = convertEsrgan({ json, shards, name: "test" }, 1);
    expect(convertEsrgan({ json, shards, name: "test" }, 1)).toEqual(once);
  });

  it("refuses layers that it does not know, and weights that do not fit", () => {
    const { json, shards } = model();
    const unknown = structuredClone(json);
    Object.assign(unknown.modelTopology.model_config.config.layers[3] ?? {}, { class_name: "Dropout" });
    expect(() => convertEsrgan({ json: unknown, shards, name: "test" }, 1)).toThrow(
      '"first_relu" is of an unknown kind: Dropout',
    );
    expect(() => convertEsrgan({ json, shards: shards.subarray(8), name: "test" }, 1)).toThrow(
      "weights end inside",
    );
    expect(() => convertEsrgan({ json, shards: new Uint8Array(shards.length + 4), name: "test" }, 1)).toThrow(
      "4 bytes of weights are left over",
    );
  });
});

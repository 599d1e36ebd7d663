/**
 * Turns a super-resolution network from TensorFlow.js's layers format into ONNX. Layouts change from
 * channels-last to channels-first: kernels HWIO → OIHW, concatenation axis 3 → 1, pixel shuffle to
 * DepthToSpace in depth-column-row order, which is TensorFlow's. Values in and out are 0..1 whatever range the
 * network was trained on. A layer that is not known is refused: never guessed.
 */
import { OnnxGraphBuilder } from "./onnx-graph.ts";
import { encodeOnnx } from "./onnx-schema.ts";
import {
  Activation,
  Concatenate,
  Conv2D,
  inputsOf,
  type Layer,
  type LayersModel,
  parseLayersModel,
  UpSampling2D,
  type Weight,
} from "./tfjs-layers.ts";

/** The constant by which the "MultiplyBeta" layers of these networks scale their residual. */
export const RESIDUAL_SCALE = 0.2;

/** Kernel [height, width, in, out] → [out, in, height, width]. */
function toOihw({ shape, values }: Weight): { dims: number[]; values: Float32Array } {
  const [height = 0, width = 0, inputs = 0, outputs = 0] = shape;
  const out = new Float32Array(values.length);
  let to = 0;
  for (let o = 0; o < outputs; o++)
    for (let i = 0; i < inputs; i++)
      for (let at = 0; at < height * width; at++)
        out[to++] = values[(at * inputs + i) * outputs + o] as number;
  return { dims: [outputs, inputs, height, width], values: out };
}

function weightOf(model: LayersModel, name: string, rank: number): Weight {
  const weight = model.weights.get(name);
  if (weight?.shape.length !== rank) throw new RangeError(`weight "${name}" of rank ${rank} is missing`);
  return weight;
}

function addConvolution(graph: OnnxGraphBuilder, layer: Layer, model: LayersModel): void {
  const { name } = layer;
  const config = Conv2D.parse(layer.config);
  const kernel = toOihw(weightOf(model, `${name}/kernel`, 4));
  const bias = weightOf(model, `${name}/bias`, 1);
  const [height, width] = config.kernel_size;
  if (config.padding === "same" && (height % 2 === 0 || width % 2 === 0)) {
    throw new RangeError(`layer "${name}": an even kernel with "same" padding is not supported`);
  }
  const [top, left] = config.padding === "same" ? [(height - 1) / 2, (width - 1) / 2] : [0, 0];
  const inputs = [
    ...inputsOf(layer),
    graph.tensor(`${name}/kernel`, kernel.dims, kernel.values),
    graph.tensor(`${name}/bias`, bias.shape, bias.values),
  ];
  const linear = config.activation === "linear" ? name : `${name}/linear`;
  graph.add("Conv", inputs, linear, {
    kernel_shape: { ints: [height, width] },
    pads: { ints: [top, left, top, left] },
  });
  if (config.activation === "relu") graph.add("Relu", [linear], name);
}

function addSum(graph: OnnxGraphBuilder, layer: Layer): void {
  if (inputsOf(layer).length < 2) throw new RangeError(`layer "${layer.name}" adds fewer than two inputs`);
  graph.add("Sum", inputsOf(layer), layer.name);
}

function addUpsampling(graph: OnnxGraphBuilder, layer: Layer): void {
  const [vertical, horizontal] = UpSampling2D.parse(layer.config).size;
  const scales = graph.constant(`${layer.name}/scales`, [1, 1, vertical, horizontal]);
  graph.add("Resize", [...inputsOf(layer), "", scales], layer.name, {
    mode: { s: "nearest" },
    nearest_mode: { s: "floor" },
    coordinate_transformation_mode: { s: "asymmetric" },
  });
}

function addPixelShuffle(graph: OnnxGraphBuilder, layer: Layer): void {
  const blocksize = Number(/^PixelShuffle(\d)x$/.exec(layer.class_name)?.[1]);
  graph.add("DepthToSpace", inputsOf(layer), layer.name, { blocksize: { i: blocksize }, mode: { s: "DCR" } });
}

function addActivation(graph: OnnxGraphBuilder, layer: Layer): void {
  Activation.parse(layer.config);
  graph.add("Relu", inputsOf(layer), layer.name);
}

function addConcatenation(graph: OnnxGraphBuilder, layer: Layer): void {
  Concatenate.parse(layer.config);
  graph.add("Concat", inputsOf(layer), layer.name, { axis: { i: 1 } });
}

function addResidualScale(graph: OnnxGraphBuilder, layer: Layer): void {
  const scale = graph.constant(`${layer.name}/scale`, [RESIDUAL_SCALE]);
  graph.add("Mul", [...inputsOf(layer), scale], layer.name);
}

type Translation = (graph: OnnxGraphBuilder, layer: Layer, model: LayersModel) => void;

const TRANSLATIONS: ReadonlyMap<string, Translation> = new Map<string, Translation>([
  ["Conv2D", addConvolution],
  ["Activation", addActivation],
  ["Concatenate", addConcatenation],
  ["Add", addSum],
  ["MultiplyBeta", addResidualScale],
  ["UpSampling2D", addUpsampling],
  ["PixelShuffle2x", addPixelShuffle],
  ["PixelShuffle4x", addPixelShuffle],
]);

/**
 * @param range the largest value of a channel as the network was trained: 1 or 255.
 * @returns an ONNX file: input `image` and output `upscaled`, float32 [1, 3, height, width] RGB in 0..1.
 * @throws {RangeError | ZodError} on a layer or a setting that the translation does not know.
 */
export function convertEsrgan(
  source: { readonly json: unknown; readonly shards: Uint8Array; readonly name: string },
  range: 1 | 255,
): Uint8Array {
  const model = parseLayersModel(source.json, source.shards);
  const graph = new OnnxGraphBuilder();
  graph.constant("range", [range]);
  for (const layer of model.layers) {
    if (layer.class_name === "InputLayer") {
      graph.add("Mul", ["image", "range"], layer.name);
      continue;
    }
    const translate = TRANSLATIONS.get(layer.class_name);
    if (!translate) throw new RangeError(`layer "${layer.name}" is of an unknown kind: ${layer.class_name}`);
    translate(graph, layer, model);
  }
  graph.add("Div", [model.output, "range"], "upscaled");
  const { nodes, tensors } = graph;
  return encodeOnnx({ name: source.name, input: "image", output: "upscaled", nodes, tensors });
}

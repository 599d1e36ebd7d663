/**
 * Turns a super-resolution network from ncnn's format into ONNX. Both keep channels first and kernels as OIHW,
 * so no weight is moved; activations that ncnn fuses into a convolution become nodes of their own. A layer or a
 * setting that is not known is refused: never guessed.
 */
import { type ConvolutionWeights, type NcnnLayer, parseNcnnModel, scalar } from "./ncnn-model.ts";
import { OnnxGraphBuilder } from "./onnx-graph.ts";
import { encodeOnnx } from "./onnx-schema.ts";

const INPUT = "data";
const OUTPUT = "output";

interface Translation {
  readonly graph: OnnxGraphBuilder;
  /** The name in ONNX of a blob of ncnn: what a Split copies keeps one name. */
  readonly names: Map<string, string>;
}

function refuse(layer: NcnnLayer, what: string): never {
  throw new RangeError(`layer "${layer.name}" (${layer.kind}): ${what} is not supported`);
}

function inputsOf({ names }: Translation, layer: NcnnLayer): string[] {
  return layer.inputs.map((blob) => {
    const name = names.get(blob);
    if (name === undefined) throw new RangeError(`layer "${layer.name}" stands before its input "${blob}"`);
    return name;
  });
}

/** Declares the layer's only output. */
function outputOf({ names }: Translation, layer: NcnnLayer): string {
  const [blob] = layer.outputs;
  if (blob === undefined || layer.outputs.length !== 1) return refuse(layer, "more or less than one output");
  const name = blob === OUTPUT ? "upscaled" : blob;
  names.set(blob, name);
  return name;
}

function addInput({ names }: Translation, layer: NcnnLayer): void {
  if (layer.outputs.length !== 1 || layer.outputs[0] !== INPUT)
    refuse(layer, `an input not named "${INPUT}"`);
  names.set(INPUT, "image");
}

function addSplit(work: Translation, layer: NcnnLayer): void {
  const [name = ""] = inputsOf(work, layer);
  for (const blob of layer.outputs) work.names.set(blob, name);
}

/** Side of the square kernel; only what keeps the size is translated. */
function kernelSide(layer: NcnnLayer): number {
  const side = scalar(layer, 1, 0);
  if (scalar(layer, 11, side) !== side || side % 2 === 0)
    refuse(layer, "a kernel that is not odd and square");
  if (scalar(layer, 2, 1) !== 1 || scalar(layer, 3, 1) !== 1) refuse(layer, "a stride or a dilation");
  if (scalar(layer, 4, 0) !== (side - 1) / 2) refuse(layer, "padding that changes the size");
  return side;
}

function addActivation(work: Translation, layer: NcnnLayer, from: string, to: string): void {
  switch (scalar(layer, 9, 0)) {
    case 1:
      return work.graph.add("Relu", [from], to);
    case 2:
      return work.graph.add("LeakyRelu", [from], to, {
        alpha: { f: layer.params.get(10)?.[0] ?? refuse(layer, "a leak without a slope") },
      });
    default:
      refuse(layer, `activation ${scalar(layer, 9, 0)}`);
  }
}

function addConvolution(work: Translation, layer: NcnnLayer): void {
  const { kernel, bias }: ConvolutionWeights = layer.weights ?? refuse(layer, "a lack of weights");
  const side = kernelSide(layer);
  const inputChannels = kernel.length / (bias.length * side * side);
  if (!Number.isInteger(inputChannels)) refuse(layer, `a kernel of ${kernel.length} weights`);
  const pad = (side - 1) / 2;
  const inputs = [
    ...inputsOf(work, layer),
    work.graph.tensor(`${layer.name}/kernel`, [bias.length, inputChannels, side, side], kernel),
    work.graph.tensor(`${layer.name}/bias`, [bias.length], bias),
  ];
  const output = outputOf(work, layer);
  const isActivated = scalar(layer, 9, 0) !== 0;
  const linear = isActivated ? `${output}/linear` : output;
  work.graph.add("Conv", inputs, linear, {
    kernel_shape: { ints: [side, side] },
    pads: { ints: [pad, pad, pad, pad] },
  });
  if (isActivated) addActivation(work, layer, linear, output);
}

function addConcatenation(work: Translation, layer: NcnnLayer): void {
  if (scalar(layer, 0, 0) !== 0) refuse(layer, "another axis than channels");
  const inputs = inputsOf(work, layer);
  work.graph.add("Concat", inputs, outputOf(work, layer), { axis: { i: 1 } });
}

/** A sum whose terms may have weights. */
function addWeightedSum(work: Translation, layer: NcnnLayer): void {
  if (scalar(layer, 0, 0) !== 1) refuse(layer, "another operation than a sum");
  const weights = layer.params.get(1) ?? [];
  const inputs = inputsOf(work, layer);
  const output = outputOf(work, layer);
  const terms = inputs.map((input, i) => {
    const weight = weights[i] ?? 1;
    if (weight === 1) return input;
    const factor = work.graph.constant(`${output}/weight${i}`, [weight]);
    work.graph.add("Mul", [input, factor], `${output}/term${i}`);
    return `${output}/term${i}`;
  });
  work.graph.add("Sum", terms, output);
}

const BINARY_OPERATIONS: Readonly<Record<number, string>> = { 0: "Add", 1: "Sub", 2: "Mul", 3: "Div" };

function addBinaryOperation(work: Translation, layer: NcnnLayer): void {
  const operation = BINARY_OPERATIONS[scalar(layer, 0, 0)] ?? refuse(layer, "this operation");
  const inputs = inputsOf(work, layer);
  const output = outputOf(work, layer);
  if (scalar(layer, 1, 0) === 1) inputs.push(work.graph.constant(`${output}/scalar`, [scalar(layer, 2, 0)]));
  if (inputs.length !== 2) refuse(layer, `an operation on ${inputs.length} values`);
  work.graph.add(operation, inputs, output);
}

function addEnlargement(work: Translation, layer: NcnnLayer): void {
  if (scalar(layer, 0, 0) !== 1) refuse(layer, "another interpolation than nearest");
  const [vertical, horizontal] = [scalar(layer, 1, 1), scalar(layer, 2, 1)];
  const inputs = inputsOf(work, layer);
  const output = outputOf(work, layer);
  const scales = work.graph.constant(`${output}/scales`, [1, 1, vertical, horizontal]);
  work.graph.add("Resize", [...inputs, "", scales], output, {
    mode: { s: "nearest" },
    nearest_mode: { s: "floor" },
    coordinate_transformation_mode: { s: "asymmetric" },
  });
}

const TRANSLATIONS: ReadonlyMap<string, (work: Translation, layer: NcnnLayer) => void> = new Map([
  ["Input", addInput],
  ["Split", addSplit],
  ["Convolution", addConvolution],
  ["Concat", addConcatenation],
  ["Eltwise", addWeightedSum],
  ["BinaryOp", addBinaryOperation],
  ["Interp", addEnlargement],
]);

/**
 * @param source the `.param` text and the `.bin` weights.
 * @returns an ONNX file: input `image` and output `upscaled`, float32 [1, 3, height, width] RGB in 0..1.
 * @throws {RangeError} on a layer or a setting that the translation does not know.
 */
export function convertNcnn(source: {
  readonly param: string;
  readonly weights: Uint8Array;
  readonly name: string;
}): Uint8Array {
  const work: Translation = { graph: new OnnxGraphBuilder(), names: new Map() };
  for (const layer of parseNcnnModel(source.param, source.weights, TRANSLATIONS)) {
    TRANSLATIONS.get(layer.kind)?.(work, layer);
  }
  if (!work.names.has(OUTPUT)) throw new RangeError(`the model has no output named "${OUTPUT}"`);
  const { nodes, tensors } = work.graph;
  return encodeOnnx({ name: source.name, input: "image", output: "upscaled", nodes, tensors });
}

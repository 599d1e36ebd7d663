/**
 * ncnn's model format as far as super-resolution networks use it: a `.param` text with one layer a line, and a
 * `.bin` with the weights in the order of the layers. A layer that is not known is refused here, before its
 * weights could be taken for another's. See github.com/Tencent/ncnn/wiki/param-and-model-file-structure.
 */

const MAGIC = "7767517";
/** Parameters from here down are arrays: -23310 is array 10, its first number the count. */
const ARRAY_KEY_BASE = -23300;

const FLOAT_WEIGHTS = 0;
const HALF_WEIGHTS = 0x01306b47;

export interface NcnnLayer {
  readonly kind: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  /** Parameters by their number; arrays under the number that they stand for. */
  readonly params: ReadonlyMap<number, readonly number[]>;
  readonly weights?: ConvolutionWeights;
}

export interface ConvolutionWeights {
  /** [out, in, height, width], as ONNX has them too. */
  readonly kernel: Float32Array;
  readonly bias: Float32Array;
}

/** A parameter that is a single number; ncnn leaves defaults out. */
export function scalar({ params }: Pick<NcnnLayer, "params">, key: number, fallback: number): number {
  return params.get(key)?.[0] ?? fallback;
}

function readParams(words: readonly string[], line: string): Map<number, readonly number[]> {
  const params = new Map<number, readonly number[]>();
  for (const word of words) {
    const [key, value] = word.split("=");
    const values = (value ?? "").split(",").map(Number);
    const number = Number(key);
    if (!Number.isInteger(number) || value === undefined || values.some(Number.isNaN)) {
      throw new RangeError(`"${word}" is no parameter in the line "${line}"`);
    }
    if (number > ARRAY_KEY_BASE) params.set(number, values);
    else params.set(ARRAY_KEY_BASE - number, values.slice(1));
  }
  return params;
}

function readLayer(line: string): NcnnLayer {
  const [kind = "", name = "", inputCount, outputCount, ...rest] = line.trim().split(/\s+/);
  const inputs = rest.slice(0, Number(inputCount));
  const outputs = rest.slice(inputs.length, inputs.length + Number(outputCount));
  if (inputs.length !== Number(inputCount) || outputs.length !== Number(outputCount)) {
    throw new RangeError(`the line "${line}" names fewer blobs than it counts`);
  }
  return {
    kind,
    name,
    inputs,
    outputs,
    params: readParams(rest.slice(inputs.length + outputs.length), line),
  };
}

function halfToFloat(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Takes arrays off the weights' file, in order. */
class WeightReader {
  readonly #view: DataView;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.#view.byteLength - this.#at;
  }

  #take(bytes: number, layer: string): number {
    if (this.left < bytes) throw new RangeError(`the weights end inside "${layer}"`);
    const from = this.#at;
    this.#at += bytes;
    return from;
  }

  floats(count: number, layer: string): Float32Array {
    const from = this.#take(4 * count, layer);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = this.#view.getFloat32(from + 4 * i, true);
    return values;
  }

  #halves(count: number, layer: string): Float32Array {
    // Each array ends on a multiple of four bytes.
    const from = this.#take(2 * (count + (count % 2)), layer);
    const values = new Float32Array(count);
    for (let i = 0; i < count; i++) values[i] = halfToFloat(this.#view.getUint16(from + 2 * i, true));
    return values;
  }

  /** Weights under a tag that says how they are stored. */
  tagged(count: number, layer: string): Float32Array {
    const tag = this.#view.getUint32(this.#take(4, layer), true);
    if (tag === FLOAT_WEIGHTS) return this.floats(count, layer);
    if (tag === HALF_WEIGHTS) return this.#halves(count, layer);
    throw new RangeError(`the weights of "${layer}" are stored in a way that is not supported: ${tag}`);
  }
}

function withWeights(layer: NcnnLayer, reader: WeightReader): NcnnLayer {
  if (layer.kind !== "Convolution") return layer;
  const outputs = scalar(layer, 0, 0);
  const kernel = reader.tagged(scalar(layer, 6, 0), layer.name);
  const bias = scalar(layer, 5, 0) === 1 ? reader.floats(outputs, layer.name) : new Float32Array(outputs);
  return { ...layer, weights: { kernel, bias } };
}

/**
 * @param known the kinds of layers that the caller can translate; of these only convolutions have weights.
 * @returns the layers in the file's order, in which every layer follows its inputs.
 * @throws {RangeError} when the text is no model, a layer is unknown or the weights do not fit.
 */
export function parseNcnnModel(
  param: string,
  weights: Uint8Array,
  known: { has(kind: string): boolean },
): NcnnLayer[] {
  const [magic, counts = "", ...lines] = param.split(/\r?\n/).filter((line) => line.trim() !== "");
  if (magic?.trim() !== MAGIC) throw new RangeError("this is no ncnn model: its first line is another");
  const count = Number(counts.trim().split(/\s+/)[0]);
  if (lines.length !== count) {
    throw new RangeError(`the model counts ${count} layers and lists ${lines.length}`);
  }
  const reader = new WeightReader(weights);
  const layers = lines.map((line) => {
    const layer = readLayer(line);
    if (!known.has(layer.kind)) {
      throw new RangeError(`layer "${layer.name}" is of an unknown kind: ${layer.kind}`);
    }
    return withWeights(layer, reader);
  });
  if (reader.left !== 0) throw new RangeError(`${reader.left} bytes of weights are left over`);
  return layers;
}

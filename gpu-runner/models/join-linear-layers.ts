/**
 * A network of convolutions between which nothing bends: each chain of them is one convolution, and so are the sums
 * and concatenations on the way. Where a network's first layers make many channels of a picture's three, that saves
 * most of the work: ESRGAN's slim network has a third of its multiplications left, and results that differ by less
 * than a thousandth of a level. Zeros beyond the edge come in once, not at each layer: what lies closer to it than
 * the network looks comes out otherwise, which tiles with padding cut off. Pure.
 */
import {
  composed,
  type Kernel,
  kernelOf,
  type Linear,
  sumOf,
  sideBySide,
  unchanged,
} from "./linear-layers.ts";
import {
  attribute,
  decodeModel,
  type DecodedNode,
  type DecodedWeights,
  encodeModel,
  FLOAT,
} from "./onnx-schema.ts";

type Node = DecodedNode & {
  readonly attribute?: readonly { readonly name: string; readonly ints?: readonly unknown[] }[];
};

const intsOf = ({ attribute: all = [] }: Node, name: string) =>
  all.find((one) => one.name === name)?.ints?.map(Number) ?? [];

/** Whether a convolution has a square, odd kernel and keeps the size, each output made of all inputs. */
function isPlain(node: Node, [, , height = 0, width]: readonly number[]): boolean {
  const others = node.attribute?.filter(({ name }) => name !== "kernel_shape" && name !== "pads");
  const pads = [0, 1, 2, 3].map((edge) => intsOf(node, "pads")[edge] ?? 0);
  return (
    others?.length === 0 &&
    height === width &&
    height % 2 === 1 &&
    pads.every((pad) => 2 * pad === height - 1)
  );
}

class Joining {
  readonly nodes: Node[] = [];
  readonly added: DecodedWeights[] = [];
  readonly #weights: ReadonlyMap<string, DecodedWeights>;
  /** What is a sum of convolutions of other tensors, by its name; written down when somebody needs it as it is. */
  readonly #linear = new Map<string, Linear>();
  readonly #written = new Set<string>();
  readonly #channels = new Map<string, number>();

  constructor(weights: readonly DecodedWeights[]) {
    this.#weights = new Map(weights.map((one) => [one.name, one]));
  }

  #floats(name: string | undefined): { dims: number[]; values: Float32Array } | undefined {
    const found = name === undefined ? undefined : this.#weights.get(name);
    if (found?.data_type !== FLOAT || !found.raw_data) return undefined;
    return {
      dims: (found.dims ?? []).map(Number),
      values: new Float32Array(Uint8Array.from(found.raw_data).buffer),
    };
  }

  #linearOf(name: string, channels = this.#channels.get(name)): Linear | undefined {
    return this.#linear.get(name) ?? (channels === undefined ? undefined : unchanged(name, channels));
  }

  #convolution(node: Node): Linear | undefined {
    const [input = "", weights, added] = node.input;
    const [kernel, bias] = [this.#floats(weights), this.#floats(added)];
    if (!kernel || !bias || !isPlain(node, kernel.dims)) return undefined;
    const [outputs = 0, inputs = 0] = kernel.dims;
    const before = this.#linearOf(input, inputs);
    return before && composed(kernelOf(kernel.values, outputs, inputs), bias.values, before);
  }

  #linearBy(node: Node): Linear | undefined {
    if (node.op_type === "Conv") return this.#convolution(node);
    if (node.op_type !== "Sum" && node.op_type !== "Concat") return undefined;
    const parts = node.input.map((name) => this.#linearOf(name));
    if (!parts.every((part) => part !== undefined)) return undefined;
    return node.op_type === "Sum" ? sumOf(parts) : sideBySide(parts);
  }

  #weigh(name: string, dims: readonly number[], values: Float64Array): string {
    const floats = Float32Array.from(values);
    this.added.push({ name, dims, data_type: FLOAT, raw_data: new Uint8Array(floats.buffer) });
    return name;
  }

  #convolve(from: string, to: string, { outputs, inputs, side, values }: Kernel, bias?: Float64Array): void {
    const input = [from, this.#weigh(`${to}/joined`, [outputs, inputs, side, side], values)];
    if (bias) input.push(this.#weigh(`${to}/joined bias`, [outputs], bias));
    const pad = (side - 1) / 2;
    const sizes = [
      attribute("kernel_shape", { ints: [side, side] }),
      attribute("pads", { ints: [pad, pad, pad, pad] }),
    ];
    this.nodes.push({ op_type: "Conv", input, output: [to], attribute: sizes });
  }

  /** Has a tensor computed that so far was only known as a sum of convolutions. */
  write(name: string): void {
    const linear = this.#linear.get(name);
    if (!linear || this.#written.has(name)) return;
    this.#written.add(name);
    this.#channels.set(name, linear.bias.length);
    let sum: string | undefined;
    const last = linear.kernels.size - 1;
    for (const [i, [from, kernel]] of [...linear.kernels].entries()) {
      const term = last === 0 ? name : `${name}/${i}`;
      this.#convolve(from, term, kernel, i === 0 ? linear.bias : undefined);
      const total = i === last ? name : `${name}/to ${i}`;
      if (sum !== undefined) this.nodes.push({ op_type: "Add", input: [sum, term], output: [total] });
      sum = sum === undefined ? term : total;
    }
  }

  take(node: Node): void {
    const [output] = node.output;
    const linear = this.#linearBy(node);
    if (linear && output !== undefined) {
      this.#linear.set(output, linear);
      return;
    }
    for (const name of node.input) this.write(name);
    this.nodes.push(node);
    const channels = this.#channels.get(node.input[0] ?? "");
    if (node.op_type === "Relu" && output !== undefined && channels !== undefined)
      this.#channels.set(output, channels);
  }
}

/** @param file of a network in whole floats, its weights in the file */
export function withLinearLayersJoined(file: Uint8Array): Uint8Array {
  const model = decodeModel(file);
  const { graph } = model;
  const joining = new Joining(graph.initializer);
  for (const node of graph.node) joining.take(node);
  for (const { name } of graph.output) joining.write(name);
  graph.node = joining.nodes;
  const used = new Set(joining.nodes.flatMap(({ input }) => input));
  graph.initializer = [...graph.initializer.filter(({ name }) => used.has(name)), ...joining.added];
  return encodeModel(model);
}

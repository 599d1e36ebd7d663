import type { AttributeValue, OnnxNode, OnnxTensor } from "./onnx-schema.ts";

/** The nodes and tensors of a network while it is translated. Each node is named by its output. */
export class OnnxGraphBuilder {
  readonly nodes: OnnxNode[] = [];
  readonly tensors: OnnxTensor[] = [];

  add(
    op: string,
    inputs: readonly string[],
    output: string,
    attributes: Record<string, AttributeValue> = {},
  ): void {
    this.nodes.push({ op, inputs, output, attributes });
  }

  /** A scalar for one value, else a vector. Returns its name. */
  constant(name: string, values: readonly number[]): string {
    return this.tensor(name, values.length === 1 ? [] : [values.length], Float32Array.from(values));
  }

  /** Returns its name. */
  tensor(name: string, dims: readonly number[], values: Float32Array): string {
    this.tensors.push({ name, dims, values });
    return name;
  }
}

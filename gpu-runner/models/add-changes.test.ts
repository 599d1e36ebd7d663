/// <reference lib="esnext.float16" />
import { expect, it } from "vitest";
import { addChanges } from "./add-changes.ts";
import { HALF, onnxModel } from "./onnx-schema.ts";

const bytesOf = (values: readonly number[]) => new Uint8Array(Float16Array.from(values).buffer);
const tensor = (name: string, dims: readonly number[], values: readonly number[]) => ({
  name,
  dims,
  data_type: HALF,
  raw_data: bytesOf(values),
});

function file(initializer: readonly object[]): Uint8Array {
  const message = onnxModel().fromObject({ ir_version: 8, graph: { name: "tiny", node: [], initializer } });
  return onnxModel().encode(message).finish();
}

function weightsIn(bytes: Uint8Array): Record<string, number[]> {
  const { graph } = onnxModel().toObject(onnxModel().decode(bytes)) as {
    graph: { initializer: { name: string; raw_data: Uint8Array }[] };
  };
  return Object.fromEntries(
    graph.initializer.map(({ name, raw_data }) => [
      name,
      [...new Float16Array(new Uint8Array(raw_data).buffer)],
    ]),
  );
}

const network = file([tensor("wide", [2, 3], [1, 2, 3, 4, 5, 6]), tensor("narrow", [2], [10, 20])]);

it("adds whole changes and products of small matrices, and leaves other weights alone", () => {
  const product = file([
    tensor("wide/up", [2, 2], [1, 0, 0, 2]),
    tensor("wide/down", [2, 3], [1, 1, 1, 0, 0, 1]),
  ]);
  expect(weightsIn(addChanges(network, product))).toEqual({ wide: [2, 3, 4, 4, 5, 8], narrow: [10, 20] });
  const whole = file([tensor("narrow/change", [2], [0.5, -1])]);
  expect(weightsIn(addChanges(network, whole))).toEqual({ wide: [1, 2, 3, 4, 5, 6], narrow: [10.5, 19] });
});

it.each([
  ["weights that are not there", [tensor("other/change", [1], [1])], /no weights "other"/],
  [
    "a whole change of another size",
    [tensor("narrow/change", [3], [1, 2, 3])],
    /"narrow\/change" does not fit/,
  ],
  ["half a product", [tensor("wide/up", [2, 1], [1, 2])], /"wide\/up" does not fit/],
  [
    "a product of another size",
    [tensor("wide/up", [2, 1], [1, 2]), tensor("wide/down", [1, 2], [1, 2])],
    /"wide\/up" does not fit/,
  ],
  ["something else", [tensor("wide", [1], [1])], /"wide" is no change/],
])("refuses %s", (_, changes, message) => {
  expect(() => addChanges(network, file(changes))).toThrow(message);
});

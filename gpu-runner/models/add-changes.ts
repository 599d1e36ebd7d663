/// <reference lib="esnext.float16" />
/**
 * A network that was taught more, kept as what its weights changed by: a few megabytes beside the published file.
 * Of a wide layer the change is a product of two small matrices, of others the whole. Pure.
 */
import { type DecodedModel, decodeModel, type DecodedWeights, encodeModel, HALF } from "./onnx-schema.ts";

/** What a change to the weights `name` is called in the file of changes. */
const WHOLE = "/change";
const UP = "/up";
const DOWN = "/down";

function halves({ name, data_type, raw_data = new Uint8Array() }: DecodedWeights): Float16Array {
  if (data_type !== HALF) throw new RangeError(`the weights "${name}" are no halves`);
  return new Float16Array(new Uint8Array(raw_data).buffer);
}

const weightsOf = ({ graph }: DecodedModel) =>
  new Map(graph.initializer.map((weights) => [weights.name, weights] as const));

/** Row `row` of up [out, rank] × down [rank, inner], added to what is there. */
function addProductRow(to: Float32Array, row: number, up: Float16Array, down: Float16Array): void {
  const rank = down.length / to.length;
  for (let k = 0; k < rank; k++) {
    const factor = up[row * rank + k] ?? 0;
    for (let i = 0; i < to.length; i++) to[i] = (to[i] ?? 0) + factor * (down[k * to.length + i] ?? 0);
  }
}

/** Adds up [out, rank] × down [rank, inner] to values [out, inner]; whether their sizes go together. */
function addProduct(values: Float16Array, up: Float16Array, down: Float16Array): boolean {
  const rank = Math.sqrt((up.length * down.length) / values.length);
  const [out, inner] = [up.length / rank, down.length / rank];
  if (![rank, out, inner].every(Number.isInteger)) return false;
  for (let row = 0; row < out; row++) {
    const own = Float32Array.from(values.subarray(row * inner, (row + 1) * inner));
    addProductRow(own, row, up, down);
    values.set(own, row * inner);
  }
  return true;
}

function addWhole(values: Float16Array, change: Float16Array): boolean {
  if (change.length !== values.length) return false;
  for (let i = 0; i < values.length; i++) values[i] = (values[i] ?? 0) + (change[i] ?? 0);
  return true;
}

function changeOf(name: string): [weights: string, kind: string] {
  const kind = [WHOLE, UP, DOWN].find((each) => name.endsWith(each));
  if (kind === undefined) throw new RangeError(`"${name}" is no change of weights`);
  return [name.slice(0, -kind.length), kind];
}

/**
 * @param file whose weights are halves
 * @param changes an ONNX file without nodes: for the weights W either "W/change" of W's size, or "W/up" [out, rank]
 *   and "W/down" [rank, all but out]; halves
 * @throws {RangeError} when a change is of weights that the file has not, or of another size
 */
export function addChanges(file: Uint8Array, changes: Uint8Array): Uint8Array {
  const model = decodeModel(file);
  const weights = weightsOf(model);
  const given = weightsOf(decodeModel(changes));
  for (const [name, change] of given) {
    const [changed, kind] = changeOf(name);
    if (kind === DOWN) continue;
    const own = weights.get(changed);
    if (!own) throw new RangeError(`the network has no weights "${changed}"`);
    const values = halves(own);
    const down = kind === UP ? given.get(`${changed}${DOWN}`) : undefined;
    const fits = down ? addProduct(values, halves(change), halves(down)) : addWhole(values, halves(change));
    if (!fits) throw new RangeError(`the change "${name}" does not fit its weights`);
    own.raw_data = new Uint8Array(values.buffer);
  }
  return encodeModel(model);
}

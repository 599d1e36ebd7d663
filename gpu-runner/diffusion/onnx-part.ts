/** One network of a model folder, in the types that its own file declares: half or whole floats, 32 or 64-bit ids. */
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { InferenceSession, Tensor } from "onnxruntime-node";
import { fromHalf, toHalf } from "./half.ts";

export interface Port {
  readonly name: string;
  readonly type: Tensor.Type;
  /** Words stand for sizes that are free. */
  readonly shape: readonly (number | string)[];
}

export interface OnnxPart {
  readonly inputs: ReadonlyMap<string, Port>;
  readonly outputs: ReadonlyMap<string, Port>;
  /** The values of an input as its file wants them. Fractions of what it declares as whole numbers are cut off. */
  tensor(input: string, values: Values, dims: readonly number[]): Tensor;
  /** Runs it once; of the outputs only those named are fetched, as floats, in the same order. */
  run(feeds: Readonly<Record<string, Tensor>>, outputs: readonly string[]): Promise<Float32Array[]>;
}

/** What is to be done to a file's content before it is opened; what gives the very same back changes nothing. */
export type Edit = (file: Uint8Array) => Uint8Array;

/** Opens an ONNX file, or gives the part again that it opened before. */
export type OpenPart = (path: string, edit?: Edit) => Promise<OnnxPart>;

const isObject = (value: unknown): value is object => typeof value === "object";

/** Where a file that is given by its content finds the weights that lie beside it. */
function besides(
  path: string,
  { extra = {}, ...options }: InferenceSession.SessionOptions,
): InferenceSession.SessionOptions {
  const session = {
    ...(isObject(extra["session"]) && extra["session"]),
    model_external_initializers_file_folder_path: dirname(path),
  };
  return { ...options, extra: { ...extra, session } };
}

/** What is edited lies in memory three times while it is opened. Weights of large networks usually lie beside. */
const MOST_EDITED_BYTES = 1e9;

/** A file is opened by its path unless its content is changed; so is a very large one, unchanged. */
export async function createSession(
  path: string,
  edit: Edit | undefined,
  options: InferenceSession.SessionOptions,
): Promise<InferenceSession> {
  if (!edit || (await stat(path)).size > MOST_EDITED_BYTES) return InferenceSession.create(path, options);
  const file = await readFile(path);
  const changed = edit(file);
  if (changed === file) return InferenceSession.create(path, options);
  return InferenceSession.create(changed, besides(path, options));
}

function portsOf(metadata: readonly InferenceSession.ValueMetadata[]): Map<string, Port> {
  const tensors = metadata.filter((port) => port.isTensor);
  return new Map(tensors.map(({ name, type, shape }) => [name, { name, type, shape }]));
}

type Values = Float32Array | Int32Array;

/**
 * onnxruntime-common turns the codes into a Float16Array, of which the binding (1.30, Node 24) sees no byte: it is
 * given the codes themselves again.
 */
function halfTensor(values: Values, dims: readonly number[]): Tensor {
  const codes = toHalf(Float32Array.from(values));
  return Object.defineProperty(new Tensor("float16", codes, dims), "cpuData", { value: codes });
}

/** By what a file declares of an input. Others do not occur in Stable Diffusion's networks. */
const TENSORS: Partial<Record<Tensor.Type, (values: Values, dims: readonly number[]) => Tensor>> = {
  float32: (values, dims) =>
    new Tensor("float32", values instanceof Float32Array ? values : Float32Array.from(values), dims),
  float16: halfTensor,
  int32: (values, dims) => new Tensor("int32", Int32Array.from(values), dims),
  int64: (values, dims) =>
    new Tensor(
      "int64",
      BigInt64Array.from(values, (value) => BigInt(Math.trunc(value))),
      dims,
    ),
};

function asFloats({ type, data }: Tensor): Float32Array {
  if (data instanceof Float32Array) return data;
  if (type === "float16" && data instanceof Uint16Array) return fromHalf(data);
  return Float32Array.from(data as ArrayLike<number | bigint>, Number);
}

/** `onSeconds` is told how long each run took. */
export function partOf(session: InferenceSession, onSeconds: (seconds: number) => void = () => {}): OnnxPart {
  const inputs = portsOf(session.inputMetadata);
  return {
    inputs,
    outputs: portsOf(session.outputMetadata),
    tensor(input, values, dims) {
      const port = inputs.get(input);
      if (!port) throw new TypeError(`the network has no input "${input}"`);
      const make = TENSORS[port.type];
      if (!make) throw new TypeError(`inputs of type ${port.type} are not known`);
      return make(values, dims);
    },
    async run(feeds, outputs) {
      const started = performance.now();
      try {
        const results = await session.run(feeds, outputs);
        return outputs.map((name) => {
          const tensor = results[name];
          if (!tensor) throw new TypeError(`the network gave no output "${name}"`);
          return asFloats(tensor);
        });
      } finally {
        onSeconds((performance.now() - started) / 1000);
      }
    },
  };
}

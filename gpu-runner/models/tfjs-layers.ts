import * as z from "zod";

/**
 * The TensorFlow.js "layers-model" format as far as super-resolution networks use it: a list of layers with
 * their inputs, and float32 weights that lie one after another in the shards.
 */

const Inbound = z.array(z.array(z.tuple([z.string(), z.number(), z.number()]).rest(z.unknown())));

const Layer = z.object({
  class_name: z.string(),
  name: z.string(),
  config: z.looseObject({}),
  inbound_nodes: Inbound,
});
export type Layer = z.infer<typeof Layer>;

const LayersModel = z.object({
  modelTopology: z.object({
    model_config: z.object({
      config: z.object({
        layers: z.array(Layer).min(2),
        output_layers: z.array(z.tuple([z.string(), z.number(), z.number()])).length(1),
      }),
    }),
  }),
  weightsManifest: z.array(
    z.object({
      paths: z.array(z.string()),
      weights: z.array(
        z.object({
          name: z.string(),
          shape: z.array(z.int().min(1)),
          dtype: z.literal("float32"),
          quantization: z.undefined({ error: "quantised weights are not supported" }).optional(),
        }),
      ),
    }),
  ),
});

export const Conv2D = z.object({
  filters: z.int().min(1),
  kernel_size: z.tuple([z.int(), z.int()]),
  strides: z.tuple([z.literal(1), z.literal(1)]),
  padding: z.enum(["same", "valid"]),
  data_format: z.literal("channels_last"),
  dilation_rate: z.tuple([z.literal(1), z.literal(1)]),
  groups: z.literal(1).optional(),
  activation: z.enum(["linear", "relu"]),
  use_bias: z.literal(true),
});
export const Activation = z.object({ activation: z.literal("relu") });
export const Concatenate = z.object({ axis: z.union([z.literal(3), z.literal(-1)]) });
export const UpSampling2D = z.object({
  size: z.tuple([z.int(), z.int()]),
  interpolation: z.literal("nearest"),
});

export interface Weight {
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

export interface LayersModel {
  /** In an order in which every layer follows its inputs. */
  readonly layers: readonly Layer[];
  readonly output: string;
  readonly weights: ReadonlyMap<string, Weight>;
}

/** The names of the layers that a layer reads. */
export function inputsOf(layer: Layer): string[] {
  return (layer.inbound_nodes[0] ?? []).map(([name]) => name);
}

/**
 * @param json the model.json, parsed; `shards` its weight files joined in the manifest's order.
 * @throws {z.ZodError | RangeError} when the model is of another kind or the weights do not fit it.
 */
export function parseLayersModel(json: unknown, shards: Uint8Array): LayersModel {
  const model = LayersModel.parse(json);
  const { layers, output_layers } = model.modelTopology.model_config.config;
  const weights = new Map<string, Weight>();
  let offset = 0;
  for (const { name, shape } of model.weightsManifest.flatMap((group) => group.weights)) {
    const bytes = 4 * shape.reduce((product, size) => product * size, 1);
    if (offset + bytes > shards.length) throw new RangeError(`weights end inside "${name}"`);
    weights.set(name, { shape, values: new Float32Array(shards.slice(offset, offset + bytes).buffer) });
    offset += bytes;
  }
  if (offset !== shards.length)
    throw new RangeError(`${shards.length - offset} bytes of weights are left over`);
  const seen = new Set<string>();
  for (const layer of layers) {
    const early = inputsOf(layer).find((name) => !seen.has(name));
    if (early !== undefined) throw new RangeError(`layer "${layer.name}" stands before its input "${early}"`);
    seen.add(layer.name);
  }
  return { layers, output: output_layers[0]?.[0] ?? "", weights };
}

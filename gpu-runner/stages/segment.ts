import { Failure } from "../failure.ts";
import { SEGMENTER } from "../models/catalogue.ts";
import type { ModelSessions } from "../models/sessions.ts";
import { tidyMatte } from "../pipeline/components.ts";
import { decontaminate } from "../pipeline/decontaminate.ts";
import { alphaBox, judgeScores, toAlpha, touchedEdges } from "../pipeline/matte.ts";
import type { Plane, Rgb } from "../pipeline/raster.ts";
import { resizePlane } from "../pipeline/resample.ts";
import { SegmentFacts } from "./facts.ts";
import { ingest, type IngestLimits } from "./ingest.ts";
import { encodePng, type EncodedPicture, resizeRgb } from "./picture-codec.ts";

/** Pixels less opaque than this (of 255) do not count for the product's box. */
export const BOX_ALPHA = 4;

/** The picture squashed to the model's square, channels apart, centred on zero: x / 255 − ½. */
async function toTensor(rgb: Rgb, size: number): Promise<Float32Array> {
  const square = await resizeRgb(rgb, { width: size, height: size });
  const plane = size * size;
  const tensor = new Float32Array(3 * plane);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) tensor[c * plane + i] = (square.data[i * 3 + c] ?? 0) / 255 - 0.5;
  }
  return tensor;
}

async function score(rgb: Rgb, sessions: ModelSessions): Promise<Plane> {
  const size = SEGMENTER.task.kind === "segment" ? SEGMENTER.task.size : 0;
  const tensor = await toTensor(rgb, size);
  const data = await sessions.run(SEGMENTER, { data: tensor, dims: [1, 3, size, size], output: "output" });
  return { width: size, height: size, data };
}

/**
 * Cuts the product out of a photo: RGBA of the working size, with a soft matte and edges free of the old
 * background's colour.
 * @throws {Failure} `bad-input` or `no-product`.
 */
export async function segment(
  photo: Uint8Array,
  limits: IngestLimits,
  sessions: ModelSessions,
): Promise<{ picture: EncodedPicture; facts: SegmentFacts }> {
  const { rgb, source, notes } = await ingest(photo, limits);
  const scores = await score(rgb, sessions);
  const verdict = judgeScores(scores);
  if (!verdict.found) {
    throw new Failure(
      "no-product",
      `no product stands out in the picture (score ${verdict.score.toFixed(3)}): take it closer, before a plain background`,
    );
  }
  const tidy = tidyMatte(toAlpha(resizePlane(scores, rgb.width, rgb.height)));
  const productBox = alphaBox(tidy.alpha, BOX_ALPHA);
  if (!productBox) throw new Failure("no-product", "no product stands out in the picture");
  const colour = decontaminate(rgb, tidy.alpha);
  const facts = SegmentFacts.parse({
    source,
    notes,
    model: { name: SEGMENTER.name, sha256: SEGMENTER.sha256, licence: SEGMENTER.licence },
    productScore: verdict.score,
    coverage: verdict.coverage,
    productBox,
    touchesFrame: touchedEdges(tidy.alpha, productBox),
    specksCleared: tidy.specksCleared,
    pinholesClosed: tidy.pinholesClosed,
  });
  return { picture: await encodePng(colour, tidy.alpha), facts };
}

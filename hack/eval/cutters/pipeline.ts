/** The cutters of this project: the runner's own stage, and one pass of the published network without any craft. */
import { Failure } from "../../../gpu-runner/failure.ts";
import { PUBLISHED_SEGMENTER } from "../../../gpu-runner/models/catalogue.ts";
import type { ModelSessions } from "../../../gpu-runner/models/sessions.ts";
import { newPlane, type Rgb } from "../../../gpu-runner/pipeline/raster.ts";
import { resizePlane } from "../../../gpu-runner/pipeline/resample.ts";
import { ingest } from "../../../gpu-runner/stages/ingest.ts";
import { resizeRgb } from "../../../gpu-runner/stages/picture-codec.ts";
import { segment } from "../../../gpu-runner/stages/segment.ts";
import { type Cutter, decodeCutout } from "./cutter.ts";

/** The runner's defaults. */
export const LIMITS = { maxSourceMegapixels: 100, workingPixels: 2048 };

/** The `segment` stage as the runner calls it. */
export function ourCutter(sessions: ModelSessions): Cutter {
  return {
    name: "ours",
    cut: async (photo) => {
      try {
        const { picture } = await segment(photo, LIMITS, sessions);
        return await decodeCutout(picture.bytes);
      } catch (error) {
        if (error instanceof Failure && error.class === "no-product") return undefined;
        throw error;
      }
    },
  };
}

/** The side of IS-Net's square. */
const SIDE = 1024;

async function rawScores(rgb: Rgb, sessions: ModelSessions): Promise<Float32Array> {
  const square = await resizeRgb(rgb, { width: SIDE, height: SIDE });
  const data = new Float32Array(3 * SIDE * SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    for (let c = 0; c < 3; c++) data[c * SIDE * SIDE + i] = (square.data[i * 3 + c] ?? 0) / 255 - 0.5;
  }
  return sessions.run(PUBLISHED_SEGMENTER, { data, dims: [1, 3, SIDE, SIDE], output: "output" });
}

/**
 * One pass of the published network over the whole photo at 1024²: its soft scores are the matte, the photo's pixels
 * the colours.
 */
export function baselineCutter(sessions: ModelSessions): Cutter {
  return {
    name: "baseline",
    cut: async (photo) => {
      const { rgb } = await ingest(photo, LIMITS);
      const scores = { ...newPlane(SIDE, SIDE), data: await rawScores(rgb, sessions) };
      const { data } = resizePlane(scores, rgb.width, rgb.height);
      const levels = Uint8Array.from(data, (score) => Math.round(255 * Math.min(1, Math.max(0, score))));
      return { colour: rgb, alpha: { width: rgb.width, height: rgb.height, data: levels } };
    },
  };
}

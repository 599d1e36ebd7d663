import onnxruntime from "onnxruntime-node/package.json" with { type: "json" };
import sharp from "sharp";
import runner from "../package.json" with { type: "json" };
import type { Machine } from "./recipe.ts";
import type { WorkerSettings } from "./stage-work.ts";

interface Processor {
  readonly node: string;
  readonly platform: string;
  readonly arch: string;
}

/** On what pictures are made: the settings and versions that their bytes depend on. */
export function describeMachine(settings: WorkerSettings, { node, platform, arch }: Processor): Machine {
  const { provider, intraOpThreads, upscalerQuality } = settings;
  const { maxSourceMegapixels, workingPixels, maxFinalPixels, scenes } = settings;
  return {
    runnerVersion: runner.version,
    versions: {
      node,
      "onnxruntime-node": onnxruntime.version,
      sharp: sharp.versions.sharp ?? "unknown",
      vips: sharp.versions.vips,
    },
    platform: `${platform}-${arch}`,
    provider,
    intraOpThreads,
    upscalerQuality,
    maxSourceMegapixels,
    workingPixels,
    maxFinalPixels,
    ...(scenes && { scenes }),
  };
}

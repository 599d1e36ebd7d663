/** Whether a photo's colours and its upright position survive ingest, whatever file it comes in. */
import { ingest } from "../../../gpu-runner/stages/ingest.ts";
import { LIMITS } from "../cutters/pipeline.ts";
import { type AreaResult, p95 } from "../figures.ts";
import { deltaE00 } from "../../../gpu-runner/pipeline/colour-difference.ts";
import { srgbToLab } from "../metrics/colour-spaces.ts";
import { ADOBE_RGB, DISPLAY_P3 } from "../metrics/icc-profile.ts";
import {
  chart16,
  chartInSpace,
  INK_COLOURS,
  PATCH_PIXELS,
  PATCHES,
  printFile,
  readPatches,
  turnedChart,
} from "./chart.ts";

type Colours = readonly (readonly [number, number, number])[];

const differences = (got: Colours, wanted: Colours) =>
  wanted.map((colour, i) => deltaE00(srgbToLab(got[i] ?? [0, 0, 0]), srgbToLab(colour)));

const ingested = async (file: Buffer) => readPatches((await ingest(file, LIMITS)).rgb);

async function isUpright(orientation: number): Promise<boolean> {
  const { rgb } = await ingest(await turnedChart(orientation), LIMITS);
  const landscape = rgb.width === 6 * PATCH_PIXELS && rgb.height === 4 * PATCH_PIXELS;
  return landscape && Math.max(...differences(readPatches(rgb), PATCHES)) < 3;
}

export async function measureColour(): Promise<AreaResult> {
  const files = {
    "8-bit Display P3": differences(await ingested(await chartInSpace(DISPLAY_P3, 8)), PATCHES),
    "16-bit Display P3": differences(await ingested(await chartInSpace(DISPLAY_P3, 16)), PATCHES),
    "8-bit Adobe RGB": differences(await ingested(await chartInSpace(ADOBE_RGB, 8)), PATCHES),
    "16-bit sRGB": differences(await ingested(await chart16()), PATCHES),
    "CMYK TIFF": differences(await ingested(printFile()), INK_COLOURS),
  };
  let upright = 0;
  for (let orientation = 1; orientation <= 8; orientation++) if (await isUpright(orientation)) upright++;
  // The worst kind of file counts: four good ones do not make up for a shop whose photos come out wrong.
  const worst = Math.max(...Object.values(files).map(p95));
  const label = "colour through ingest, p95 ΔE00 of 24 patches, worst of 5 kinds of file";
  const all = Object.values(files).flat();
  return {
    area: "colour",
    figures: [
      { key: "colour_p95_de00", label, ours: worst, bar: { value: 2, better: "lower" } },
      { key: "colour_max_de00", label: "colour through ingest, largest ΔE00", ours: Math.max(...all) },
      {
        key: "orientations_upright",
        label: "EXIF orientations upright of 8",
        ours: upright,
        bar: { value: 8, better: "higher" },
      },
    ],
    lines: Object.entries(files).map(([name, values]) => `${name}: p95 ΔE00 ${p95(values).toFixed(2)}`),
  };
}

/** Whether a photo's colours and its upright position survive ingest, whatever file it comes in. */
import { ingest } from "../../../gpu-runner/stages/ingest.ts";
import { LIMITS } from "../cutters/pipeline.ts";
import { type AreaResult, p95 } from "../figures.ts";
import { ciede2000, srgbToLab } from "../metrics/colour-difference.ts";
import { ADOBE_RGB, DISPLAY_P3 } from "../metrics/icc-profile.ts";
import {
  chart16,
  chartInSpace,
  chartOf,
  cmykJpeg,
  PATCH_PIXELS,
  PATCHES,
  readPatches,
  turnedChart,
} from "./chart.ts";

type Colours = readonly (readonly [number, number, number])[];

const differences = (got: Colours, wanted: Colours) =>
  wanted.map((colour, i) => ciede2000(srgbToLab(got[i] ?? [0, 0, 0]), srgbToLab(colour)));

const ingested = async (file: Buffer) => readPatches((await ingest(file, LIMITS)).rgb);

/**
 * A press cannot print all of the chart's colours: what comes back from a first print is what this profile can
 * print, and is the truth that a second one is held against.
 */
async function cmykDifferences(): Promise<number[]> {
  const printable = (await ingested(await cmykJpeg(chartOf(PATCHES)))).map(
    ([r, g, b]) => [Math.round(r), Math.round(g), Math.round(b)] as const,
  );
  return differences(await ingested(await cmykJpeg(chartOf(printable))), printable);
}

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
    "CMYK JPEG": await cmykDifferences(),
  };
  let upright = 0;
  for (let orientation = 1; orientation <= 8; orientation++) if (await isUpright(orientation)) upright++;
  const label = "colour through ingest, p95 ΔE00 of 24 patches × 5 files";
  const all = Object.values(files).flat();
  return {
    area: "colour",
    figures: [
      { key: "colour_p95_de00", label, ours: p95(all), bar: { value: 2, better: "lower" } },
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

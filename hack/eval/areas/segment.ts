/** Cut-outs of the synthetic photos by pipeline, baseline and rembg, measured against the exact mattes. */
import type { Cutout } from "../../../gpu-runner/pipeline/compose.ts";
import { newRgb } from "../../../gpu-runner/pipeline/raster.ts";
import { encodePng } from "../../../gpu-runner/stages/picture-codec.ts";
import type { Cutter } from "../cutters/cutter.ts";
import type { AreaResult, Exhibit, Panel } from "../figures.ts";
import { onCheckerboard, onColour, thumbnail } from "../page/thumbnail.ts";
import { readPicture, type SyntheticPicture, type SyntheticSet } from "../render/synthetic-set.ts";
import {
  type CutterName,
  kindLines,
  type PictureScore,
  type Score,
  scoreCutout,
  segmentFigures,
  worstLines,
} from "./segment-scores.ts";

const NAMES = ["ours", "baseline", "rembg"] as const;
const WORST_SHOWN = 10;

export interface SegmentSubjects {
  readonly set: SyntheticSet;
  readonly cutters: Readonly<Record<CutterName, Cutter>>;
  readonly onProgress: (text: string) => void;
}

interface Measured extends PictureScore {
  /** PNG of each cut-out, kept for the page. */
  readonly cutouts: Readonly<Record<CutterName, Uint8Array>>;
}

interface Cut {
  readonly score: Score;
  readonly bytes: Uint8Array;
  readonly isDelivered: boolean;
}

/** What "no product" leaves: a clear picture. */
function nothing({ alpha: { width, height } }: SyntheticPicture): Cutout {
  return { colour: newRgb(width, height), alpha: { width, height, data: new Uint8Array(width * height) } };
}

function sameSize(cutout: Cutout, { about }: SyntheticPicture): Cutout {
  const { width, height } = cutout.alpha;
  if (width !== about.width || height !== about.height) {
    throw new Error(`picture ${about.number} was cut out as ${width}×${height}: it has another size`);
  }
  return cutout;
}

async function measurePicture(
  picture: SyntheticPicture,
  cutters: SegmentSubjects["cutters"],
): Promise<Measured> {
  const results = await NAMES.reduce(async (before, name) => {
    const done = await before;
    const found = await cutters[name].cut(picture.photo);
    const cutout = sameSize(found ?? nothing(picture), picture);
    const { bytes } = await encodePng(cutout.colour, cutout.alpha);
    return {
      ...done,
      [name]: { score: scoreCutout(cutout, picture), bytes, isDelivered: found !== undefined },
    };
  }, Promise.resolve<Partial<Record<CutterName, Cut>>>({}));
  const { ours, baseline, rembg } = results;
  if (!ours || !baseline || !rembg) throw new Error("a cutter was left out");
  return {
    about: picture.about,
    isDelivered: ours.isDelivered,
    scores: { ours: ours.score, baseline: baseline.score, rembg: rembg.score },
    cutouts: { ours: ours.bytes, baseline: baseline.bytes, rembg: rembg.bytes },
  };
}

interface Aspect {
  readonly name: string;
  /** Lower is better. */
  readonly badness: (score: Score) => number | undefined;
  readonly say: (score: Score) => string;
  readonly show: (png: Uint8Array) => Promise<Uint8Array>;
}

const ASPECTS: readonly Aspect[] = [
  {
    name: "Overlap",
    badness: ({ iou }) => 1 - iou,
    say: ({ iou }) => `IoU ${iou.toFixed(3)}`,
    show: onCheckerboard,
  },
  {
    name: "Soft edge",
    badness: ({ bandMae }) => bandMae,
    say: ({ bandMae }) => `band MAE ${bandMae?.toFixed(3) ?? "–"}`,
    show: onCheckerboard,
  },
  {
    name: "Holes",
    badness: ({ holes, holesFound }) => (holes === 0 ? undefined : 1 - holesFound / holes),
    say: ({ holes, holesFound }) => `${holesFound} of ${holes} holes`,
    show: onColour,
  },
  {
    name: "Halo",
    badness: ({ halo }) => halo,
    say: ({ halo }) => `${halo?.toFixed(1) ?? "–"} levels`,
    show: onColour,
  },
];

async function exhibit(
  heading: string,
  measured: Measured,
  aspect: Aspect,
  set: SyntheticSet,
): Promise<Exhibit> {
  const { about, photo, colour, alpha } = await readPicture(set, measured.about.number);
  const panels: Panel[] = [
    { label: "photo", bytes: await thumbnail(photo) },
    { label: "truth", bytes: await aspect.show((await encodePng(colour, alpha)).bytes) },
  ];
  for (const name of NAMES) {
    const label = `${name}: ${aspect.say(measured.scores[name])}`;
    panels.push({ label, bytes: await aspect.show(measured.cutouts[name]) });
  }
  return { heading, about: `#${about.number} ${about.kind}, ${about.background}`, panels };
}

async function exhibits(pictures: readonly Measured[], set: SyntheticSet): Promise<Exhibit[]> {
  const shown: Exhibit[] = [];
  for (const aspect of ASPECTS) {
    const sorted = pictures
      .map((picture) => ({ picture, badness: aspect.badness(picture.scores.ours) }))
      .filter(({ badness }) => badness !== undefined)
      .sort((a, b) => (a.badness ?? 0) - (b.badness ?? 0));
    const places = [
      ["worst", sorted.length - 1],
      ["second worst", sorted.length - 2],
      ["third worst", sorted.length - 3],
      ["median", Math.floor((sorted.length - 1) / 2)],
      ["best", 0],
    ] as const;
    for (const [place, index] of places) {
      const found = sorted[index];
      if (found) shown.push(await exhibit(`${aspect.name}: ${place}`, found.picture, aspect, set));
    }
  }
  return shown;
}

export async function measureSegment({ set, cutters, onProgress }: SegmentSubjects): Promise<AreaResult> {
  const pictures: Measured[] = [];
  for (const number of set.numbers) {
    onProgress(`picture ${pictures.length + 1} of ${set.numbers.length}`);
    pictures.push(await measurePicture(await readPicture(set, number), cutters));
  }
  return {
    area: "segment",
    figures: segmentFigures(pictures),
    lines: [
      ...kindLines(pictures),
      "",
      "worst, with baseline and rembg:",
      ...worstLines(pictures, WORST_SHOWN),
    ],
    exhibits: await exhibits(pictures, set),
  };
}

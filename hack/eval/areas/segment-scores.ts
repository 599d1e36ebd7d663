/** One cut-out measured against the truth, and many of them as figures. */
import type { Cutout } from "../../../gpu-runner/pipeline/compose.ts";
import type { Cutter } from "../cutters/cutter.ts";
import { type Figure, mean } from "../figures.ts";
import { boundaryF } from "../metrics/boundary.ts";
import { gradientError } from "../metrics/gradient-error.ts";
import { edgeBand, haloError } from "../metrics/halo.ts";
import { findHoles, holesFound } from "../metrics/holes.ts";
import { bandError, iou, meanAbsoluteError } from "../metrics/matte-error.ts";
import type { Description } from "../render/synthetic-set.ts";

export interface Score {
  readonly iou: number;
  readonly mae: number;
  readonly bandMae: number | undefined;
  readonly boundaryF: number;
  readonly gradientError: number;
  readonly holes: number;
  readonly holesFound: number;
  readonly halo: number | undefined;
}

export type CutterName = Cutter["name"];

export interface PictureScore {
  readonly about: Description;
  /** Whether the pipeline gave a picture; one that it refuses is scored as if it had given a clear one. */
  readonly isDelivered: boolean;
  readonly scores: Readonly<Record<CutterName, Score>>;
}

const OUTLINE_PIXELS = 2;

export function scoreCutout(cutout: Cutout, truth: Cutout): Score {
  const [got, exact] = [cutout.alpha, truth.alpha];
  const holes = findHoles(exact);
  return {
    iou: iou(got, exact),
    mae: meanAbsoluteError(got, exact),
    bandMae: bandError(got, exact),
    boundaryF: boundaryF(got, exact, OUTLINE_PIXELS),
    gradientError: gradientError(got, exact),
    holes: holes.length,
    holesFound: holesFound(got, holes),
    halo: haloError(cutout, truth, edgeBand(truth)),
  };
}

type Measure = (scores: readonly Score[]) => number;

const averaged =
  (pick: (score: Score) => number | undefined): Measure =>
  (scores) =>
    mean(scores.map(pick).filter((value) => value !== undefined));

const holesRecall: Measure = (scores) =>
  scores.reduce((sum, score) => sum + score.holesFound, 0) /
  scores.reduce((sum, score) => sum + score.holes, 0);

const band = averaged(({ bandMae }) => bandMae);
const halo = averaged((score) => score.halo);
const overlap = averaged((score) => score.iou);

/**
 * The figures of all pictures, with the bars of the project. A picture that is refused is not billed, but it counts
 * against the bars; what is delivered is told beside them.
 */
export function segmentFigures(pictures: readonly PictureScore[]): Figure[] {
  const delivered = pictures.filter(({ isDelivered }) => isDelivered);
  const by = (name: CutterName, measure: Measure, of = pictures) =>
    measure(of.map(({ scores }) => scores[name]));
  const figure = (key: string, label: string, measure: Measure, of = pictures): Figure => ({
    key,
    label,
    ours: by("ours", measure, of),
    baseline: by("baseline", measure, of),
    rembg: by("rembg", measure, of),
  });
  const ratio = (measure: Measure, other: CutterName, of = pictures) =>
    by("ours", measure, of) / by(other, measure, of);
  const compared = (
    name: string,
    label: string,
    measure: Measure,
    [other, bar]: [CutterName, number],
  ): Figure[] => [
    { key: name, label, ours: ratio(measure, other), bar: { value: bar, better: "lower" } },
    { key: `${name}_delivered`, label: `${label}, delivered alone`, ours: ratio(measure, other, delivered) },
  ];
  return [
    { key: "synthetic_pictures", label: "synthetic pictures", ours: pictures.length },
    { key: "pictures_refused", label: "pictures refused", ours: pictures.length - delivered.length },
    { ...figure("iou", "IoU at half opacity", overlap), bar: { value: 0.97, better: "higher" } },
    figure("iou_delivered", "IoU, delivered alone", overlap, delivered),
    figure(
      "mae",
      "matte error (MAE)",
      averaged((score) => score.mae),
    ),
    figure("band_mae", "soft-edge error (band MAE)", band),
    ...compared("band_mae_ratio_baseline", "soft-edge error ÷ baseline's", band, ["baseline", 0.8]),
    ...compared("band_mae_ratio_rembg", "soft-edge error ÷ rembg's", band, ["rembg", 1]),
    figure(
      "boundary_f_2px",
      "outline F at 2 px",
      averaged((score) => score.boundaryF),
    ),
    figure(
      "gradient_error",
      "gradient error (thousands)",
      averaged((score) => score.gradientError),
    ),
    { ...figure("holes_recall", "holes found", holesRecall), bar: { value: 0.9, better: "higher" } },
    figure("halo_levels", "halo on three backgrounds (levels)", halo),
    ...compared("halo_ratio_naive", "halo ÷ naive cut-out's (baseline)", halo, ["baseline", 0.6]),
  ];
}

const column = (value: number, width: number) =>
  (Number.isNaN(value) ? "–" : value.toFixed(3)).padStart(width);

/** One line for each kind of product, worst first: where the work is. */
export function kindLines(pictures: readonly PictureScore[]): string[] {
  const kinds = [...new Set(pictures.map(({ about }) => about.kind))];
  const rows = kinds.map((kind) => {
    const own = pictures.filter(({ about }) => about.kind === kind).map(({ scores }) => scores.ours);
    const values = [
      averaged((score) => score.iou)(own),
      averaged((score) => score.bandMae)(own),
      averaged((score) => score.boundaryF)(own),
      holesRecall(own),
      averaged((score) => score.halo)(own),
    ];
    return {
      iou: values[0] ?? 0,
      line: [kind.padEnd(16), ...values.map((value) => column(value, 9))].join(""),
    };
  });
  const heading = [
    "kind (ours)".padEnd(16),
    ...["IoU", "band MAE", "outline F", "holes", "halo"].map((h) => h.padStart(9)),
  ];
  return [heading.join(""), ...rows.sort((a, b) => a.iou - b.iou).map(({ line }) => line)];
}

function flagsOf(about: Description): string {
  return [
    about.background,
    `fills ${Math.round(about.fill * 100)} %`,
    ...(about.touchesFrame ? ["touches the frame"] : []),
    ...(about.products > 1 ? ["two products"] : []),
    ...(about.outOfFocus ? ["out of focus"] : []),
  ].join(", ");
}

/** The pictures that came out worst, ours beside the baseline's and rembg's. */
export function worstLines(pictures: readonly PictureScore[], count: number): string[] {
  const worst = [...pictures].sort((a, b) => a.scores.ours.iou - b.scores.ours.iou).slice(0, count);
  return worst.map(({ about, isDelivered, scores }) => {
    const { ours, baseline, rembg } = scores;
    const beside = (name: string, pick: (score: Score) => number | undefined, digits: number) => {
      const [own, ...others] = [ours, baseline, rembg].map((score) => pick(score)?.toFixed(digits) ?? "–");
      return `${name} ${own} (${others.join(", ")})`;
    };
    const values = [
      beside("IoU", (score) => score.iou, 3),
      beside("band MAE", (score) => score.bandMae, 3),
      beside("halo", (score) => score.halo, 1),
    ];
    return `#${about.number} ${about.kind} (${flagsOf(about)})${isDelivered ? "" : ", refused"}: ${values.join(", ")}`;
  });
}

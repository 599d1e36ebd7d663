/**
 * A picture's quality score, 0..100, from what the stages left in their records. Every weight stands in one
 * table; each entry takes points away as its value goes from what is still fine to what nobody would sell.
 */
import type { Box, Quality, StageRecord } from "#crds/runner-report.ts";
import * as z from "zod";
import { PlaceFacts, SegmentFacts } from "../stages/facts.ts";
import { Measures } from "./measure.ts";

/** What a score is made of. What was not measured takes no points. */
export interface Evidence {
  readonly segment?: SegmentFacts | undefined;
  readonly place?: PlaceFacts | undefined;
  readonly measures?: Measures | undefined;
}

interface Criterion {
  readonly code: string;
  /** Cutting again with other settings may win the points back: it is not the photo's own fault. */
  readonly isMendable?: true;
  readonly valueOf: (evidence: Evidence) => number | undefined;
  /** No points are lost up to `fine`; all of `points` from `worst` on. `worst` may be the smaller. */
  readonly fine: number;
  readonly worst: number;
  readonly points: number;
  readonly message: (value: number) => string;
}

const percent = (share: number) => `${Math.round(100 * share)} %`;

const longerSide = ({ width, height }: Box) => Math.max(width, height);

/** Share of the product's box that the worst frame cuts off; edges that the photo cuts off do not count. */
function cutOffShare({ productBox, frames, snapped = [] }: PlaceFacts): number {
  const shares = Object.values(frames).map((frame) => outsideShare(productBox, frame, snapped));
  return Math.max(0, ...shares);
}

function outsideShare(product: Box, frame: Box, snapped: readonly string[]): number {
  const beyond = {
    left: frame.x - product.x,
    top: frame.y - product.y,
    right: product.x + product.width - frame.x - frame.width,
    bottom: product.y + product.height - frame.y - frame.height,
  };
  const counted = Object.entries(beyond).filter(([edge, pixels]) => pixels > 0 && !snapped.includes(edge));
  const side = (edge: string) => (edge === "left" || edge === "right" ? product.width : product.height);
  return Math.max(0, ...counted.map(([edge, pixels]) => pixels / side(edge)));
}

const CRITERIA: readonly Criterion[] = [
  {
    code: "uncertain",
    isMendable: true,
    valueOf: ({ segment }) => segment?.productScore,
    fine: 0.95,
    worst: 0.5,
    points: 40,
    message: (value) => `the product stands out weakly (score ${value.toFixed(2)} of 1)`,
  },
  {
    code: "tiny",
    valueOf: ({ segment }) => segment && longerSide(segment.productBox),
    fine: 300,
    worst: 64,
    points: 45,
    message: (value) => `the product is only ${Math.round(value)} pixels large: take it closer`,
  },
  {
    code: "touches-frame",
    isMendable: true,
    valueOf: ({ measures }) => measures?.cutOff.length,
    fine: 0,
    worst: 3,
    points: 36,
    message: (value) => `the photo cuts the product off at ${value} of its edges`,
  },
  {
    code: "frame-contact",
    isMendable: true,
    valueOf: ({ segment }) => segment?.frameContact && Math.max(...Object.values(segment.frameContact)),
    fine: 0.4,
    worst: 1,
    points: 25,
    message: (value) => `the product covers ${percent(value)} of an edge of the photo`,
  },
  {
    code: "several-products",
    valueOf: ({ segment }) => segment?.parts?.length,
    fine: 2,
    worst: 8,
    points: 25,
    message: (value) => `${value} parts stand apart: a photo shows one product, or a pair`,
  },
  {
    code: "half-open",
    isMendable: true,
    valueOf: ({ segment }) => segment?.softInterior,
    fine: 0.15,
    worst: 0.8,
    points: 25,
    message: (value) => `${percent(value)} of the product's inside are half open: glass, or a matte in doubt`,
  },
  {
    code: "looks-differ",
    isMendable: true,
    valueOf: ({ segment }) => segment?.secondLook?.changed,
    fine: 0.15,
    worst: 0.6,
    points: 30,
    message: (value) => `the closer look changed ${percent(value)} of what the first one saw`,
  },
  {
    code: "holes",
    isMendable: true,
    valueOf: ({ segment }) => segment?.pinholesClosed,
    fine: 150,
    worst: 4000,
    points: 15,
    message: (value) => `${value} pixels of pinholes had to be closed in the cut-out`,
  },
  {
    code: "specks",
    isMendable: true,
    valueOf: ({ segment }) => segment?.specksCleared,
    fine: 1500,
    worst: 40_000,
    points: 15,
    message: (value) => `${value} pixels of specks had to be cleared round the product`,
  },
  {
    code: "halo",
    isMendable: true,
    valueOf: ({ segment, measures }) =>
      segment && measures && measures.edgeBandPixels / longerSide(segment.productBox),
    fine: 0.035,
    worst: 0.12,
    points: 30,
    message: (value) => `the cut-out's edge runs off over ${percent(value)} of the product's size`,
  },
  {
    code: "ghostly",
    isMendable: true,
    // Glass is soft inside by right.
    valueOf: ({ segment, measures }) =>
      segment?.transparentSuspected === true ? undefined : measures?.solidShare,
    fine: 0.5,
    worst: 0.1,
    points: 60,
    message: (value) => `only ${percent(value)} of the cut-out are solid: the product was hardly found`,
  },
  {
    code: "blurred",
    valueOf: ({ measures }) => measures?.blurPixels,
    fine: 0.8,
    worst: 1.6,
    points: 45,
    message: (value) => `the product is out of focus (blur ${value.toFixed(2)}, sharp is 0.5 and less)`,
  },
  {
    code: "overexposed",
    valueOf: ({ measures }) => measures?.burntShare,
    fine: 0.15,
    worst: 0.7,
    points: 40,
    message: (value) => `${percent(value)} of the product are burnt out to white`,
  },
  {
    code: "underexposed",
    valueOf: ({ measures }) => measures?.blackShare,
    fine: 0.3,
    worst: 0.9,
    points: 40,
    message: (value) => `${percent(value)} of the product are black without any drawing`,
  },
  {
    code: "unfaithful",
    valueOf: ({ place }) => place?.fidelity.deltaE00P95,
    fine: 0.5,
    worst: 1.5,
    points: 30,
    message: (value) => `the placed product's colours differ from the photo's by ΔE00 ${value.toFixed(2)}`,
  },
  {
    code: "cut-by-frame",
    valueOf: ({ place }) => place && cutOffShare(place),
    fine: 0,
    worst: 0.05,
    points: 60,
    message: (value) => `a frame cuts off ${percent(value)} of the product`,
  },
];

const tenths = (value: number) => Math.round(value * 10) / 10;

function lost({ valueOf, fine, worst, points, code, message }: Criterion, evidence: Evidence) {
  const value = valueOf(evidence);
  if (value === undefined) return [];
  const part = Math.min(1, Math.max(0, (value - fine) / (worst - fine)));
  const reason = { code, points: tenths(points * part), value, message: message(value) };
  return reason.points > 0 ? [reason] : [];
}

/** The score, 0..100, and what took points away, most first. */
export function scoreOf(evidence: Evidence): Quality {
  const reasons = CRITERIA.flatMap((criterion) => lost(criterion, evidence)).sort(
    (a, b) => b.points - a.points,
  );
  const total = reasons.reduce((sum, { points }) => sum + points, 0);
  return { score: tenths(Math.max(0, 100 - total)), reasons };
}

const MENDABLE = new Set(CRITERIA.filter(({ isMendable }) => isMendable).map(({ code }) => code));

/** Whether cutting again with other settings can help at all. */
export function isMendable({ reasons }: Quality): boolean {
  return reasons.some(({ code }) => MENDABLE.has(code));
}

const Measured = z.object({ measures: Measures.optional() });

/** Reads the evidence from the records of an item's stages. */
export function evidenceOf(stages: readonly StageRecord[]): Evidence {
  const of = (name: string) => stages.find(({ stage }) => stage === name)?.facts;
  const [segment, place] = [of("segment"), of("place")];
  return {
    ...(segment && {
      segment: SegmentFacts.parse(segment),
      measures: Measured.parse(segment).measures,
    }),
    ...(place && { place: PlaceFacts.parse(place) }),
  };
}

/** Why a picture is held back, as one sentence for the person who reviews it. */
export function reviewMessage({ score, reasons }: Quality, minScore: number): string {
  const why = reasons.slice(0, 3).map(({ message }) => message);
  return `the picture scores ${score} of the ${minScore} that the brand asks for: ${why.join("; ")}`;
}

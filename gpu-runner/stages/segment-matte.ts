/** The soft matte of a photo: two looks of the model, tidied; or the one that the photo brought. */
import type { Box } from "#crds/runner-report.ts";
import { Failure } from "../failure.ts";
import type { SegmentEntry } from "../models/catalogue.ts";
import type { ModelSessions } from "../models/sessions.ts";
import { alphaBox, judgeScores, type ProductVerdict, toAlpha } from "../pipeline/matte.ts";
import { guidedUpsampling } from "../pipeline/guided-upsampling.ts";
import { frameContact } from "../pipeline/matte-flags.ts";
import { clearGhosts } from "../pipeline/matte-ghosts.ts";
import { tidyMatte } from "../pipeline/matte-tidy.ts";
import { type Alpha, cropBytes, type Plane, type Rgb } from "../pipeline/raster.ts";
import { resizePlane } from "../pipeline/resample.ts";
import type { Size } from "../pipeline/layout.ts";
import { joinLooks, planSecondLook } from "../pipeline/two-pass.ts";
import type { SegmentFacts } from "./facts.ts";
import { resizeRgb } from "./picture-codec.ts";
import { lookShape } from "./look-shape.ts";
import { scorePicture } from "./segment-score.ts";

export interface Matte extends Pick<
  SegmentFacts,
  "model" | "productScore" | "coverage" | "secondLook" | "specksCleared" | "pinholesClosed"
> {
  readonly alpha: Alpha;
}

/** For a network that takes its square alone: seen enlarged by less than this, a product shows hardly more. */
const LEAST_MAGNIFICATION = 1.2;
/** At least so much of each edge must be covered before the background is taken for what was found. */
const CROSSED_EDGE = 0.005;
/** A product that is cut off at all four edges is solid for the most part; levels of 255. */
const LEAST_SOLID = 0.5;
const [FAINT, SOLID] = [8, 250];
/** Enlarged by less than this, a product has many pixels: the network draws its edges at half of what it is shown. */
const FINE_ENLARGED = 1.8;
/** A product that fills this much less of a closer look than was thought is looked at once more, closer still. */
const SMALLER = 1.4;
const MOST_CLOSER_LOOKS = 2;
/** The product that is looked at closer is at least so opaque (of 255): haze round it is not. */
const LOCATED_ALPHA = 26;

type Task = SegmentEntry["task"];
type See = (picture: Rgb, shape: Size) => Promise<Plane>;

interface Looks {
  readonly scores: Plane;
  /** What each look said, of the picture's size; empty after a single one. */
  readonly passes: readonly Plane[];
  readonly secondLook: NonNullable<SegmentFacts["secondLook"]>;
}

/** The box of the product found by a look's scores, in pixels of the picture; `seen` is what the look shows. */
function locate(scores: Plane, seen: Box): Box {
  const box = alphaBox(tidyMatte(toAlpha(scores)).alpha, LOCATED_ALPHA);
  if (!box) return seen;
  const [scaleX, scaleY] = [seen.width / scores.width, seen.height / scores.height];
  const [x, y] = [Math.floor(box.x * scaleX), Math.floor(box.y * scaleY)];
  return {
    x: seen.x + x,
    y: seen.y + y,
    width: Math.min(seen.width, Math.ceil((box.x + box.width) * scaleX)) - x,
    height: Math.min(seen.height, Math.ceil((box.y + box.height) * scaleY)) - y,
  };
}

function changedShare(before: Plane, after: Plane, box: Box): number {
  let changed = 0;
  for (let y = box.y; y < box.y + box.height; y++) {
    for (let i = y * before.width + box.x; i < y * before.width + box.x + box.width; i++) {
      if (Math.abs((before.data[i] ?? 0) - (after.data[i] ?? 0)) > 0.1) changed++;
    }
  }
  return changed / (box.width * box.height);
}

const areaOf = ({ width, height }: Box) => width * height;

/** The longer side of the picture that shows what is in the box. */
function closerSide({ width, height }: Box, { sides, size }: Task): number {
  if (!sides) return size;
  const isEnlarged = sides.closer >= FINE_ENLARGED * Math.max(width, height);
  return isEnlarged ? sides.closer : sides.closerAtMany;
}

async function lookCloser(rgb: Rgb, seen: Plane, task: Task, see: See): Promise<Looks> {
  const { width, height } = rgb;
  const first = resizePlane(seen, width, height);
  const limits = { side: task.sides?.closer ?? task.size, isSquare: !task.sides };
  let plan = planSecondLook(locate(seen, { x: 0, y: 0, width, height }), rgb, limits);
  if (!task.sides && plan.magnification < LEAST_MAGNIFICATION) {
    return { scores: first, passes: [], secondLook: { ...plan, taken: false, changed: 0 } };
  }
  let scores = first;
  for (let looks = 1; ; looks++) {
    const shown = cropBytes(rgb, plan.box, 3);
    const shape = lookShape(closerSide(plan.box, task), plan.box, task);
    const small = await resizeRgb(shown, shape);
    const closer = await see(small, shape);
    scores = joinLooks(scores, guidedUpsampling(closer, small, shown), plan.box);
    if (looks === MOST_CLOSER_LOOKS) break;
    const next = planSecondLook(locate(closer, plan.box), rgb, limits);
    if (areaOf(plan.box) < SMALLER * areaOf(next.box)) break;
    plan = next;
  }
  const changed = changedShare(first, scores, plan.box);
  return { scores, passes: [first, scores], secondLook: { ...plan, taken: true, changed } };
}

const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** The share of what can be seen of a matte that is solid. */
function solidity({ data }: Alpha): number {
  let [seen, solid] = [0, 0];
  for (let i = 0; i < data.length; i++) {
    const level = data[i] ?? 0;
    if (level >= FAINT) seen++;
    if (level >= SOLID) solid++;
  }
  return solid / Math.max(1, seen);
}

/** What runs over every edge and is hardly solid is a pattern of the background: no product stands apart from it. */
function checkApart(alpha: Alpha): void {
  const contact = Object.entries(frameContact(alpha));
  if (contact.some(([, share]) => share < CROSSED_EDGE) || solidity(alpha) >= LEAST_SOLID) return;
  const told = contact.map(([edge, share]) => `${edge} ${percent(share)}`).join(", ");
  throw new Failure(
    "no-product",
    `no product stands apart in the picture: what was found covers part of all four edges (${told}); leave room round it`,
  );
}

function checkFound({ found, score }: ProductVerdict): void {
  if (found) return;
  throw new Failure(
    "no-product",
    `no product stands out in the picture (score ${score.toFixed(3)}): take it closer, before a plain background`,
  );
}

/** @throws {Failure} `no-product`, judged by the first look before the second is paid for, and again after it. */
async function lookTwice(rgb: Rgb, task: Task, see: See): Promise<Omit<Matte, "model">> {
  const side = task.sides?.locate ?? task.size;
  const seen = await see(rgb, { width: side, height: side });
  checkFound(judgeScores(seen));
  const { scores, passes, secondLook } = await lookCloser(rgb, seen, task, see);
  const verdict = judgeScores(scores);
  checkFound(verdict);
  const { score: productScore, coverage } = verdict;
  const tidy = tidyMatte(toAlpha(scores), passes);
  return { ...tidy, alpha: clearGhosts(tidy.alpha), productScore, coverage, secondLook };
}

/** @throws {Failure} `no-product` */
export async function makeMatte(rgb: Rgb, model: SegmentEntry, sessions: ModelSessions): Promise<Matte> {
  const see: See = (picture, shape) => scorePicture(picture, shape, model, sessions);
  const found = await lookTwice(rgb, model.task, see);
  checkApart(found.alpha);
  const { name, sha256, licence } = model;
  return { ...found, model: { name, sha256, licence } };
}

/** The matte of a photo that is a cut-out already: sure, and left as it is. */
export function ownMatte(alpha: Alpha): Matte {
  const opaque = alpha.data.reduce((count, opacity) => count + (opacity > 127 ? 1 : 0), 0);
  return {
    alpha,
    productScore: 1,
    coverage: opaque / alpha.data.length,
    specksCleared: 0,
    pinholesClosed: 0,
  };
}

import type { Box, ItemReport, Quality, ShardItem, ShardManifest, StageRecord } from "#crds/runner-report.ts";
import type { ClassifiedFailure } from "./failure.ts";
import { enlarged } from "./pipeline/box.ts";
import { evidenceOf, reviewMessage, scoreOf } from "./quality/score.ts";
import { type ModelUsed, PlaceFacts, SegmentFacts, UpscaleFacts } from "./stages/facts.ts";
import { MOST_GROWTH } from "./stages/place-generated.ts";

interface Verdict {
  readonly manifest: ShardManifest;
  readonly item: ShardItem;
  /** In the order in which they ran. */
  readonly stages: readonly StageRecord[];
  readonly failure?: ClassifiedFailure;
  /** Where the recipe lies. */
  readonly recipe?: string;
  readonly at: Date;
}

interface Facts {
  readonly segment: SegmentFacts | undefined;
  readonly place: PlaceFacts | undefined;
  readonly upscale: UpscaleFacts | undefined;
}

type StageFacts = Pick<StageRecord, "stage" | "facts">;

function factsOf(stages: readonly StageFacts[]): Facts {
  const of = (name: string) => stages.find(({ stage }) => stage === name)?.facts;
  const segment = of("segment");
  const place = of("place");
  const upscale = of("upscale");
  return {
    segment: segment && SegmentFacts.parse(segment),
    place: place && PlaceFacts.parse(place),
    upscale: upscale && UpscaleFacts.parse(upscale),
  };
}

/** The product's box in the last stage's picture, as far as a stage has found it. */
export function productBoxOf(stages: readonly StageFacts[]): { productBox?: Box } {
  const { segment, place } = factsOf(stages);
  const productBox = place?.productBox ?? segment?.productBox;
  return productBox ? { productBox } : {};
}

type Boxes = Pick<PlaceFacts, "productBox" | "contentBox" | "frames">;

/** Product, product with shadow, and the cuts, in the last picture's pixels. */
function boxesIn({ segment, place, upscale }: Facts) {
  const product = segment?.productBox;
  const boxes: Boxes | undefined =
    place ?? (product && { productBox: product, contentBox: product, frames: {} });
  if (!boxes) return undefined;
  const factor = upscale?.factor ?? 1;
  const frames = Object.entries(boxes.frames).map(([name, box]) => [name, enlarged(box, factor)] as const);
  return {
    productBox: enlarged(boxes.productBox, factor),
    contentBox: enlarged(boxes.contentBox, factor),
    frames: Object.fromEntries(frames),
  };
}

/** The last picture and what exports must know of it. */
function finalPicture(stages: readonly StageRecord[], facts: Facts): ItemReport["final"] {
  const last = stages.at(-1);
  const boxes = boxesIn(facts);
  if (!last || !boxes) return undefined;
  const layers = stages.find(({ stage }) => stage === "place")?.layers ?? {};
  return { output: last.output, width: last.width, height: last.height, ...boxes, layers };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** What stages have made without a fault may still not be good enough for the brand. */
function heldBack(quality: Quality | undefined, minScore: number): ClassifiedFailure | undefined {
  if (!quality || quality.score >= minScore) return undefined;
  return { class: "needs-review", message: reviewMessage(quality, minScore) };
}

/** Whatever it scores: a product that looks larger than it is, is no picture of the product. */
function overgrown(place: PlaceFacts | undefined): ClassifiedFailure | undefined {
  const generated = place?.generated;
  if (!generated || generated.growth <= MOST_GROWTH) return undefined;
  const percent = Math.round(100 * generated.growth);
  return {
    class: "needs-review",
    message: `in each of ${generated.tries} scenes the product looks larger than it is, by ${percent} % at least: name other surroundings in the prompt`,
  };
}

/** In the order of their first use. */
function modelsUsed({ segment, place, upscale }: Facts): ModelUsed[] {
  const models = [segment?.model, place?.generated?.model, upscale?.model];
  return models.filter((model) => model !== undefined);
}

/** What some reports lack. */
function knownParts(facts: Facts, { failure, quality, recipe, final }: Partial<ItemReport>) {
  return {
    ...(failure && { failure }),
    ...(facts.segment && { source: facts.segment.source }),
    ...(final && { final }),
    ...(facts.place && { fidelity: facts.place.fidelity }),
    ...(quality && { quality }),
    ...(recipe !== undefined && { recipe }),
  };
}

/**
 * The item's verdict from the records of its stages. A picture below the brand's score fails as `needs-review`
 * and is named all the same: whoever reviews it must see it.
 */
export function composeReport({ manifest, item, stages, recipe, at, ...verdict }: Verdict): ItemReport {
  const facts = factsOf(stages);
  const quality = facts.segment && scoreOf(evidenceOf(stages));
  const failure = verdict.failure ?? heldBack(quality, manifest.brand.minScore) ?? overgrown(facts.place);
  const models = modelsUsed(facts);
  const final = verdict.failure ? undefined : finalPicture(stages, facts);
  return {
    v: 1,
    job: manifest.job,
    uid: manifest.uid,
    tenant: manifest.tenant,
    item: item.id,
    index: item.index,
    attempt: manifest.attempt,
    outcome: failure ? "failed" : "done",
    stages: [...stages],
    ...knownParts(facts, { failure, quality, recipe, final }),
    hasGeneratedPixels: facts.place?.generated !== undefined,
    models,
    seconds: sum(stages.map(({ seconds }) => seconds)),
    gpuSeconds: sum(stages.map(({ gpuSeconds }) => gpuSeconds)),
    finishedAt: at.toISOString(),
  };
}

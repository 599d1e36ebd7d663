import type { Box, ItemReport, ShardItem, ShardManifest, StageRecord } from "#crds/runner-report.ts";
import type { ClassifiedFailure } from "./failure.ts";
import { enlarged } from "./pipeline/box.ts";
import { type ModelUsed, PlaceFacts, SegmentFacts, UpscaleFacts } from "./stages/facts.ts";

interface Verdict {
  readonly manifest: ShardManifest;
  readonly item: ShardItem;
  /** In the order in which they ran. */
  readonly stages: readonly StageRecord[];
  readonly failure?: ClassifiedFailure;
  readonly at: Date;
}

interface Facts {
  readonly segment: SegmentFacts | undefined;
  readonly place: PlaceFacts | undefined;
  readonly upscale: UpscaleFacts | undefined;
}

function factsOf(stages: readonly StageRecord[]): Facts {
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
export function productBoxOf(stages: readonly StageRecord[]): { productBox?: Box } {
  const { segment, place } = factsOf(stages);
  const productBox = place?.productBox ?? segment?.productBox;
  return productBox ? { productBox } : {};
}

/** The last picture and the boxes of product and shadow in it. */
function finalPicture(
  stages: readonly StageRecord[],
  { segment, place, upscale }: Facts,
): ItemReport["final"] {
  const last = stages.at(-1);
  const product = place?.productBox ?? segment?.productBox;
  if (!last || !product) return undefined;
  const factor = upscale?.factor ?? 1;
  return {
    output: last.output,
    width: last.width,
    height: last.height,
    productBox: enlarged(product, factor),
    contentBox: enlarged(place?.contentBox ?? product, factor),
    frames: Object.fromEntries(
      Object.entries(place?.frames ?? {}).map(([name, box]) => [name, enlarged(box, factor)]),
    ),
    layers: stages.find(({ stage }) => stage === "place")?.layers ?? {},
  };
}

const sum = (values: readonly number[]) => values.reduce((total, value) => total + value, 0);

/** The item's verdict from the records of its stages. */
export function composeReport({ manifest, item, stages, failure, at }: Verdict): ItemReport {
  const facts = factsOf(stages);
  const models = [facts.segment?.model, facts.upscale?.model].filter((m): m is ModelUsed => m !== undefined);
  const final = failure ? undefined : finalPicture(stages, facts);
  return {
    v: 1,
    job: manifest.job,
    uid: manifest.uid,
    tenant: manifest.tenant,
    item: item.id,
    index: item.index,
    attempt: manifest.attempt,
    outcome: failure ? "failed" : "done",
    ...(failure && { failure }),
    ...(facts.segment && { source: facts.segment.source }),
    stages: [...stages],
    ...(final && { final }),
    ...(facts.place && { fidelity: facts.place.fidelity }),
    hasGeneratedPixels: false,
    models,
    seconds: sum(stages.map(({ seconds }) => seconds)),
    gpuSeconds: sum(stages.map(({ gpuSeconds }) => gpuSeconds)),
    finishedAt: at.toISOString(),
  };
}

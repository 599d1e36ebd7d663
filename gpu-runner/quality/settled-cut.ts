/**
 * Cuts the product out, looks at what came of it, and when that is not good enough for the brand cuts once more
 * from the photo with its local contrast raised: what stands out weakly, white on white say, stands out there.
 * The better matte is taken; the colours are the photo's own either way.
 */
import sharp from "sharp";
import { Failure } from "../failure.ts";
import type { ModelSessions } from "../models/sessions.ts";
import type { Cutout } from "../pipeline/compose.ts";
import { decontaminate } from "../pipeline/decontaminate.ts";
import { SegmentFacts } from "../stages/facts.ts";
import type { IngestLimits } from "../stages/ingest.ts";
import { encodePng, type EncodedPicture } from "../stages/picture-codec.ts";
import { cutOffEdges } from "../stages/place-product.ts";
import { cutOut, type SegmentedPhoto } from "../stages/segment.ts";
import { type Measures, measureCutout } from "./measure.ts";
import { isMendable, scoreOf } from "./score.ts";

const CUT_SETTINGS = ["plain", "local-contrast"] as const;
type CutSettings = (typeof CUT_SETTINGS)[number];

/** The facts of `segment` and what was measured of its picture. */
export type SettledFacts = SegmentFacts & {
  readonly measures: Measures;
  /** Each try with what it scored; the picture is the best one's, the first's among equals. */
  readonly tries: readonly { readonly settings: CutSettings; readonly score: number }[];
};

interface Work {
  readonly photo: Uint8Array;
  readonly limits: IngestLimits;
  readonly sessions: ModelSessions;
}

export interface SettledCut {
  readonly picture: EncodedPicture;
  readonly facts: SettledFacts;
}

interface Try {
  readonly cutout: Cutout;
  readonly facts: SegmentFacts;
  readonly settings: CutSettings;
  readonly measures: Measures;
  readonly quality: ReturnType<typeof scoreOf>;
}

function judged(cutout: Cutout, facts: SegmentFacts, settings: CutSettings): Try {
  const measures = measureCutout(cutout, cutOffEdges(cutout.alpha, facts.productBox));
  return { cutout, facts, settings, measures, quality: scoreOf({ segment: facts, measures }) };
}

/** Windows of an eighth of the picture, contrast at most tripled: noise on an empty ground stays noise. */
async function withLocalContrast(photo: Uint8Array, { workingPixels }: IngestLimits): Promise<Uint8Array> {
  const upright = await sharp(photo, { limitInputPixels: false })
    .autoOrient()
    .toColourspace("srgb")
    .resize(workingPixels, workingPixels, { fit: "inside", withoutEnlargement: true, kernel: "lanczos3" })
    .png({ compressionLevel: 1 })
    .toBuffer({ resolveWithObject: true });
  const side = Math.max(8, Math.round(Math.min(upright.info.width, upright.info.height) / 8));
  return sharp(upright.data)
    .clahe({ width: side, height: side, maxSlope: 3 })
    .png({ compressionLevel: 1 })
    .toBuffer();
}

/** Undefined when no product is found so, or its picture has another size. */
async function cutAgain(
  { photo, limits, sessions }: Work,
  { photo: rgb }: SegmentedPhoto,
): Promise<Try | undefined> {
  try {
    const { cutout, facts } = await cutOut(await withLocalContrast(photo, limits), limits, sessions);
    const { alpha } = cutout;
    if (rgb.width !== alpha.width || rgb.height !== alpha.height) return undefined;
    return judged({ colour: decontaminate(rgb, alpha), alpha }, facts(), "local-contrast");
  } catch (error) {
    if (error instanceof Failure && error.class === "no-product") return undefined;
    throw error;
  }
}

const encoded = ({ cutout }: Pick<Try, "cutout">) => encodePng(cutout.colour, cutout.alpha);

/** What the photo itself says stays, whichever try is taken. @param picture the first try's */
async function settled(
  first: Try,
  picture: Promise<EncodedPicture>,
  tries: readonly Try[],
): Promise<SettledCut> {
  const best = tries.reduce((a, b) => (b.quality.score > a.quality.score ? b : a));
  const facts: SettledFacts = {
    ...best.facts,
    source: first.facts.source,
    notes: first.facts.notes,
    measures: best.measures,
    tries: tries.map(({ settings, quality }) => ({ settings, score: quality.score })),
  };
  return { picture: await (best === first ? picture : encoded(best)), facts };
}

/**
 * The `segment` stage and its second try.
 * @param minScore 0..100: a first cut that scores less is tried again, once; 0 never is
 * @throws {Failure} `bad-input` or `no-product`.
 */
export async function settleCut(
  photo: Uint8Array,
  { minScore, limits }: { readonly minScore: number; readonly limits: IngestLimits },
  sessions: ModelSessions,
): Promise<SettledCut> {
  const cut = await cutOut(photo, limits, sessions);
  // On sharp's threads, while it is measured here.
  const picture = encoded(cut);
  picture.catch(() => undefined);
  const first = judged(cut.cutout, cut.facts(), "plain");
  if (first.quality.score >= minScore || !isMendable(first.quality)) {
    return settled(first, picture, [first]);
  }
  const second = await cutAgain({ photo, limits, sessions }, cut);
  return settled(first, picture, second ? [first, second] : [first]);
}

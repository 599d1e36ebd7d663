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
import { ingest, type IngestLimits } from "../stages/ingest.ts";
import { decodePicture, encodePng, type EncodedPicture } from "../stages/picture-codec.ts";
import { cutOffEdges } from "../stages/place-product.ts";
import { segment } from "../stages/segment.ts";
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

export interface SettledCut {
  readonly picture: EncodedPicture;
  readonly facts: SettledFacts;
}

interface Try extends Awaited<ReturnType<typeof segment>> {
  readonly settings: CutSettings;
  readonly measures: Measures;
  readonly quality: ReturnType<typeof scoreOf>;
}

async function decodeCutout({ bytes }: EncodedPicture): Promise<Cutout> {
  const { rgb, alpha } = await decodePicture(bytes);
  if (!alpha) throw new Failure("quality", "the cut-out has no alpha");
  return { colour: rgb, alpha };
}

function judged(cut: Awaited<ReturnType<typeof segment>>, cutout: Cutout, settings: CutSettings): Try {
  const measures = measureCutout(cutout, cutOffEdges(cutout.alpha, cut.facts.productBox));
  return { ...cut, settings, measures, quality: scoreOf({ segment: cut.facts, measures }) };
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
  photo: Uint8Array,
  limits: IngestLimits,
  sessions: ModelSessions,
): Promise<Try | undefined> {
  try {
    const { picture, facts } = await segment(await withLocalContrast(photo, limits), limits, sessions);
    const { alpha } = await decodeCutout(picture);
    const { rgb } = await ingest(photo, limits);
    if (rgb.width !== alpha.width || rgb.height !== alpha.height) return undefined;
    const colour = decontaminate(rgb, alpha);
    return judged({ picture: await encodePng(colour, alpha), facts }, { colour, alpha }, "local-contrast");
  } catch (error) {
    if (error instanceof Failure && error.class === "no-product") return undefined;
    throw error;
  }
}

/** What the photo itself says stays, whichever try is taken. */
function settled(first: Try, tries: readonly Try[]): SettledCut {
  const best = tries.reduce((a, b) => (b.quality.score > a.quality.score ? b : a));
  const facts: SettledFacts = {
    ...best.facts,
    source: first.facts.source,
    notes: first.facts.notes,
    measures: best.measures,
    tries: tries.map(({ settings, quality }) => ({ settings, score: quality.score })),
  };
  return { picture: best.picture, facts };
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
  const cut = await segment(photo, limits, sessions);
  const first = judged(cut, await decodeCutout(cut.picture), "plain");
  if (first.quality.score >= minScore || !isMendable(first.quality)) return settled(first, [first]);
  const second = await cutAgain(photo, limits, sessions);
  return settled(first, second ? [first, second] : [first]);
}

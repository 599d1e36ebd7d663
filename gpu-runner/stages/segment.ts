/**
 * Cuts the product out of a photo. The model looks at the whole picture, then closer at the product alone; both
 * looks make one soft matte, whose edge is freed of the old background's colour. A photo that is a cut-out
 * already keeps its own matte.
 */
import { Failure } from "../failure.ts";
import { SEGMENTER, type SegmentEntry } from "../models/catalogue.ts";
import type { ModelSessions } from "../models/sessions.ts";
import type { Cutout } from "../pipeline/compose.ts";
import { decontaminate } from "../pipeline/decontaminate.ts";
import { alphaBox, touchedEdges } from "../pipeline/matte.ts";
import { frameContact, productParts, translucency } from "../pipeline/matte-flags.ts";
import { SegmentFacts } from "./facts.ts";
import type { Rgb } from "../pipeline/raster.ts";
import { ingest, type IngestLimits } from "./ingest.ts";
import { encodePng, type EncodedPicture } from "./picture-codec.ts";
import { makeMatte, type Matte, ownMatte } from "./segment-matte.ts";

/** Pixels less opaque than this (of 255) do not count for the product's box. */
export const BOX_ALPHA = 4;

/** So much of the inside must be half open before glass is suspected: a speck of doubt is in every matte. */
const TRANSPARENT_SHARE = 0.1;

type Flags = Omit<SegmentFacts, "source" | "rights" | "notes">;

function factsOf({ alpha, ...matte }: Matte): Flags {
  const productBox = alphaBox(alpha, BOX_ALPHA);
  if (!productBox) throw new Failure("no-product", "no product stands out in the picture");
  const parts = productParts(alpha);
  const { interiorAlpha, softShare } = translucency(alpha, productBox);
  return {
    ...matte,
    productBox,
    touchesFrame: touchedEdges(alpha, productBox),
    frameContact: frameContact(alpha),
    parts,
    severalProducts: parts.length > 1,
    interiorAlpha,
    softInterior: softShare,
    transparentSuspected: softShare >= TRANSPARENT_SHARE,
  };
}

export interface SegmentedPhoto {
  readonly photo: Rgb;
  readonly cutout: Cutout;
  /** Reckoned when asked for: its picture can be encoded meanwhile. @throws {Failure} `no-product` */
  readonly facts: () => SegmentFacts;
}

/**
 * Cuts the product out of a photo: a soft matte of the working size, and colours free of the old background at
 * the edges.
 * @throws {Failure} `bad-input` or `no-product`.
 */
export async function cutOut(
  bytes: Uint8Array,
  limits: IngestLimits,
  sessions: ModelSessions,
  model: SegmentEntry = SEGMENTER,
): Promise<SegmentedPhoto> {
  const { rgb, alpha: own, source, notes, rights } = await ingest(bytes, limits);
  const matte = own ? ownMatte(own) : await makeMatte(rgb, model, sessions);
  const cutout = { colour: decontaminate(rgb, matte.alpha), alpha: matte.alpha };
  const facts = () => SegmentFacts.parse({ source, notes, rights, ...factsOf(matte) });
  return { photo: rgb, cutout, facts };
}

/** The same as a picture. @throws {Failure} `bad-input` or `no-product`. */
export async function segment(
  ...photo: Parameters<typeof cutOut>
): Promise<{ picture: EncodedPicture; facts: SegmentFacts }> {
  const { cutout, facts } = await cutOut(...photo);
  return { picture: await encodePng(cutout.colour, cutout.alpha), facts: facts() };
}

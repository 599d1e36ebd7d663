/** Makes one export of a finished picture: the pixels, the file, and what a reader of the file finds. */
import type { ExportMessage } from "#crds/messages.ts";
import { type Export, LAYER_EXPORTS } from "#crds/stages.ts";
import { boxInResult, planChannel, type Refusal } from "./channels/plan.ts";
import { type ChannelProfile, channelOf, type FileFormat } from "./channels/profiles.ts";
import { brokenRules, type Expected, validate, type Validation } from "./channels/validate.ts";
import { readWrittenFile } from "./channels/written-file.ts";
import { planCut } from "./pipeline/crop.ts";
import { parseRatio, type Size } from "./pipeline/layout.ts";
import { type ContentSigner, readCredentials } from "./provenance/content-credentials.ts";
import { sourceTypeOf } from "./provenance/source-type.ts";
import type { Rights } from "./provenance/rights.ts";
import { buildXmp } from "./provenance/xmp.ts";
import { cutScene, type ExportSource, laidOn, resizePicture } from "./stages/export.ts";
import { encodeWithin, type RawPicture, type WeightLimits } from "./stages/export-encode.ts";
import { asRgba, type Cutout, setOnWhite } from "./stages/export-product.ts";

export interface ExportWork {
  readonly message: ExportMessage;
  readonly source: ExportSource;
  /** A further picture of the scene; undefined when the job kept none of that name. */
  readonly layer: (name: string) => Promise<RawPicture | undefined>;
  /** The product on nothing, of the source's size; undefined when the job kept none. Made once for all. */
  readonly cutout: () => Promise<Cutout | undefined>;
  readonly rights: Rights | undefined;
  /** Without one, files carry no content credentials. */
  readonly signer?: ContentSigner | undefined;
  /** Sides of the photo at which the product is cut off. */
  readonly cutOff: readonly string[];
}

export interface ExportFile {
  readonly bytes: Uint8Array;
  readonly extension: "jpg" | "png" | "webp" | "avif";
  readonly contentType: string;
  readonly size: Size;
  readonly quality: number;
  readonly validation: Validation;
  /** What the file was to be: whoever finds another one in its place compares it with this. */
  readonly expected: Expected;
}

export type ExportOutcome = ExportFile | (Refusal & { readonly validation?: Validation });

/** Pixels and what they are meant to be. */
interface Drawn {
  readonly picture: RawPicture;
  readonly format: FileFormat;
  readonly expected: Omit<Expected, "size" | "format" | "sourceType">;
}

const EXTENSIONS = { jpeg: "jpg", png: "png", webp: "webp", avif: "avif" } as const;
const NO_LIMITS: WeightLimits = { min: 0, max: Number.POSITIVE_INFINITY };
const WHITE = "#ffffff";
const NEEDS_CUTOUT: Refusal = { refused: "the job kept no cut-out of the product: run it again" };

const lookOf = ({ placement, background, contentBox }: ExportMessage) => ({
  placement,
  content: contentBox,
  ...(background !== undefined && { background }),
});

function formatOf(
  asked: ExportMessage["format"],
  allowed: readonly [FileFormat, ...FileFormat[]],
): FileFormat {
  return allowed.find((format) => format === asked) ?? allowed[0];
}

async function drawRatio(name: string, { message, source }: ExportWork): Promise<Drawn> {
  const { frames, contentBox, productBox, format, background = WHITE } = message;
  const cut = frames[name] ?? planCut(source, contentBox, parseRatio(name));
  const picture = await cutScene(source, cut, lookOf(message));
  const chosen = format === "auto" ? (picture.channels === 4 ? "png" : "jpeg") : format;
  return {
    picture: chosen === "jpeg" ? await laidOn(picture, background) : picture,
    format: chosen,
    expected: { product: boxInResult(productBox, cut, picture) },
  };
}

function frameOf(name: string, { ratio }: ChannelProfile, { frames }: ExportMessage) {
  return frames[name] ?? frames[`${ratio.width}:${ratio.height}`];
}

async function drawChannel(
  name: string,
  profile: ChannelProfile,
  work: ExportWork,
): Promise<Drawn | Refusal> {
  const { message, source, cutOff } = work;
  const { productBox: product, contentBox: content, background = WHITE } = message;
  const frame = frameOf(name, profile, message);
  const plan = planChannel(profile, { picture: source, product, content, cutOff, ...(frame && { frame }) });
  if ("refused" in plan) return plan;
  const format = formatOf(message.format, profile.formats);
  if (profile.background === "scene") {
    const scene = await laidOn(await cutScene(source, plan.cut, lookOf(message)), background);
    const picture = await resizePicture(scene, plan.size);
    const { covered } = profile.covered ? plan : {};
    return { picture, format, expected: { product: plan.product, profile, ...(covered && { covered }) } };
  }
  const cutout = await work.cutout();
  if (!cutout) return NEEDS_CUTOUT;
  const { picture, silhouette } = await setOnWhite(cutout, product, plan.product, plan.size);
  return { picture, format, expected: { product: plan.product, silhouette, profile } };
}

const maskOf = ({ alpha }: Cutout): RawPicture => ({ ...alpha, channels: 1 });

async function drawLayer(
  name: (typeof LAYER_EXPORTS)[number],
  { message, source, layer, cutout: cutoutOf }: ExportWork,
): Promise<Drawn | Refusal> {
  if (name === "shadow") {
    const shadow = await layer(name);
    if (!shadow) return { refused: "the picture has no shadow of its own" };
    return {
      picture: await resizePicture(shadow, source),
      format: "png",
      expected: { isGrey: shadow.channels === 1 },
    };
  }
  const cutout = await cutoutOf();
  if (!cutout) return NEEDS_CUTOUT;
  if (name === "mask") return { picture: maskOf(cutout), format: "png", expected: { isGrey: true } };
  return { picture: asRgba(cutout), format: formatOf(message.format, ["png", "webp", "avif"]), expected: {} };
}

async function draw(name: Export, work: ExportWork): Promise<Drawn | Refusal> {
  const profile = channelOf(name);
  if (profile) return drawChannel(name, profile, work);
  const layer = LAYER_EXPORTS.find((one) => one === name);
  return layer ? drawLayer(layer, work) : drawRatio(name, work);
}

/** Reads an export's file back and compares it with what it was to be. */
async function check(bytes: Uint8Array, expected: Expected, contentType: string): Promise<Validation> {
  const file = await readWrittenFile(bytes);
  if (!expected.isSigned) return validate(file, expected);
  const { state } = await readCredentials(bytes, contentType);
  return validate({ ...file, credentials: state }, expected);
}

/** Encoded within the channel's weight, the manifest's own counted in. */
function encode({ picture, format, expected }: Drawn, { message, rights, signer }: ExportWork) {
  const { min, max } = expected.profile?.bytes ?? NO_LIMITS;
  const xmp = buildXmp({ rights, sourceType: sourceTypeOf(message) });
  const limits = { min, max: max - (signer?.reservedBytes ?? 0) };
  return encodeWithin(picture, { format, quality: message.quality, xmp }, limits);
}

/**
 * The same work gives the same bytes, its signature aside. A picture that cannot follow its channel's rules is
 * refused, with why.
 */
export async function makeExport(name: Export, work: ExportWork): Promise<ExportOutcome> {
  const drawn = await draw(name, work);
  if ("refused" in drawn) return drawn;
  const { picture, format } = drawn;
  const { signer, message } = work;
  const sourceType = sourceTypeOf(message);
  const contentType = `image/${format}`;
  const { bytes: unsigned, quality } = await encode(drawn, work);
  const title = `${message.itemId} ${name}`;
  const bytes = signer ? await signer.sign({ bytes: unsigned, contentType, title, sourceType }) : unsigned;
  const size = { width: picture.width, height: picture.height };
  const expected = { ...drawn.expected, size, format, sourceType, isSigned: signer !== undefined };
  const validation = await check(bytes, expected, contentType);
  if (!validation.passed) return { refused: brokenRules(validation), validation };
  return { bytes, extension: EXTENSIONS[format], contentType, size, quality, validation, expected };
}

/** The file that stands in an export's place, told for what it is. It counts, whoever wrote it. */
export async function validateStored(made: ExportFile, bytes: Uint8Array): Promise<ExportFile> {
  if (Buffer.compare(made.bytes, bytes) === 0) return made;
  const { width, height } = await readWrittenFile(bytes);
  const validation = await check(bytes, made.expected, made.contentType);
  return { ...made, bytes, size: { width, height }, validation };
}

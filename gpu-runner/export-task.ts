/**
 * The story of one message of the `exports` queue: read the finished picture, make each export, write the
 * files, mark the item. Everything may run twice: files are create-once, and the mark is one guarded statement.
 *
 * An export that the picture cannot give (too few pixels for a channel, a product that the photo cuts off)
 * fails alone: the item completes with the others, and the failed ones are listed with their reason. When none
 * could be made, the item fails.
 */
import { createHash } from "node:crypto";
import { exportRef, type ItemKey } from "#crds/blob-keys.ts";
import { isRetryable } from "#crds/failure.ts";
import { ExportMessage } from "#crds/messages.ts";
import type { Export } from "#crds/stages.ts";
import type { BlobStore } from "./blobs.ts";
import type { Validation } from "./channels/validate.ts";
import { type ExportFile, type ExportWork, makeExport, validateStored } from "./export-make.ts";
import { readPhotoFacts } from "./export-photo.ts";
import { classify, type ClassifiedFailure, Failure } from "./failure.ts";
import type { ContentSigner } from "./provenance/content-credentials.ts";
import { decodeForExport, decodeLayer, type ExportSource } from "./stages/export.ts";
import { cutoutOf } from "./stages/export-product.ts";

/** A finished export, as the api stores it. */
export interface ExportedPicture {
  readonly name: Export;
  readonly blob_path: string;
  readonly content_type: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly sha256: string;
  /** 1..100 on JPEG's scale, after the channel's weight limit. */
  readonly quality: number;
  /** What a reader of the file finds, rule by rule. */
  readonly validation: Validation;
}

/** An export that this picture cannot give. */
export interface RefusedExport {
  readonly name: Export;
  readonly failure: ClassifiedFailure;
  /** Present when a file was made and did not keep the rules. */
  readonly validation?: Validation;
}

interface ItemId {
  readonly tenant: string;
  readonly job: string;
  readonly item: string;
}

/** Where items are marked. False: the item had its verdict already, which is no error. */
export interface ExportStore {
  exported(item: ItemId, exports: readonly (ExportedPicture | RefusedExport)[]): Promise<boolean>;
  failed(item: ItemId, failure: ClassifiedFailure): Promise<boolean>;
}

export interface Delivery {
  readonly body: unknown;
  /** 1 at the first. */
  readonly delivery: number;
  readonly maxDeliveries: number;
}

export interface ExportDeps {
  readonly blobs: BlobStore;
  readonly store: ExportStore;
  /** Without one, exports carry no content credentials. */
  readonly signer?: ContentSigner | undefined;
}

/** What is to become of the message. */
export type Settlement =
  | {
      readonly do: "complete";
      readonly outcome: "exported";
      /** Exports that failed alone. */
      readonly refused?: readonly Export[];
    }
  | { readonly do: "complete"; readonly outcome: "failed"; readonly failure: ClassifiedFailure }
  | { readonly do: "abandon"; readonly failure: ClassifiedFailure }
  | { readonly do: "dead-letter"; readonly reason: string; readonly description: string };

const MAX_PICTURE_BYTES = 512 * 1024 * 1024;

const keyOf = (message: ExportMessage): ItemKey => ({
  tenant: message.tenantId,
  job: message.jobId,
  uid: message.uid,
  item: message.itemId,
});

async function readPicture<T>(
  ref: string,
  blobs: BlobStore,
  decode: (bytes: Uint8Array) => Promise<T>,
): Promise<T> {
  const bytes = await blobs.read(ref, MAX_PICTURE_BYTES);
  if (!bytes) throw new Failure("missing-input", `the picture ${ref} is gone`);
  try {
    return await decode(bytes);
  } catch (cause) {
    throw new Failure("bad-input", `the picture ${ref} cannot be read`, { cause });
  }
}

function layerReader({ layers }: ExportMessage, blobs: BlobStore): ExportWork["layer"] {
  return (name) => {
    const ref = layers[name];
    return ref === undefined ? Promise.resolve(undefined) : readPicture(ref, blobs, decodeLayer);
  };
}

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}

/** Writes the export, or takes what an earlier delivery had written. */
async function writeExport(ref: string, file: ExportFile, blobs: BlobStore): Promise<ExportFile> {
  if ((await blobs.create(ref, file.bytes, file.contentType)) === "created") return file;
  const theirs = await blobs.read(ref, MAX_PICTURE_BYTES);
  if (!theirs) throw new Failure("storage", `the export ${ref} was there and is gone`);
  return validateStored(file, theirs);
}

async function exportOne(
  name: Export,
  work: ExportWork,
  blobs: BlobStore,
): Promise<ExportedPicture | RefusedExport> {
  const outcome = await makeExport(name, work);
  if ("refused" in outcome) {
    const { refused, validation } = outcome;
    return { name, failure: { class: "quality", message: refused }, ...(validation && { validation }) };
  }
  const blob_path = exportRef(keyOf(work.message), name, outcome.extension);
  const { bytes, contentType, size, quality, validation } = await writeExport(blob_path, outcome, blobs);
  return {
    name,
    blob_path,
    content_type: contentType,
    ...size,
    bytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    quality,
    validation,
  };
}

async function makeExports(
  message: ExportMessage,
  blobs: BlobStore,
  signer: ContentSigner | undefined,
): Promise<(ExportedPicture | RefusedExport)[]> {
  const source: ExportSource = await readPicture(message.source, blobs, decodeForExport);
  const { rights, touchesFrame } = await readPhotoFacts(keyOf(message), blobs);
  const layer = layerReader(message, blobs);
  const cutout = once(async () => cutoutOf(source, await layer("cutout")));
  const work = { message, source, rights, cutOff: touchesFrame, layer, cutout, signer };
  const exports: (ExportedPicture | RefusedExport)[] = [];
  for (const name of message.exports) exports.push(await exportOne(name, work, blobs));
  return exports;
}

const isRefused = (one: ExportedPicture | RefusedExport): one is RefusedExport => "failure" in one;

function noneMade(refused: readonly RefusedExport[]): ClassifiedFailure {
  const reasons = refused.map(({ name, failure }) => `${name}: ${failure.message}`);
  return { class: "quality", message: `no export could be made; ${reasons.join("; ")}`.slice(0, 1000) };
}

/**
 * Takes one message to its settlement. A failure that another delivery could mend abandons the message; at the
 * last delivery, or when nothing can mend it, the item is marked as failed. Never throws.
 */
export async function processExport(
  { body, delivery, maxDeliveries }: Delivery,
  { blobs, store, signer }: ExportDeps,
): Promise<Settlement> {
  const parsed = ExportMessage.safeParse(body);
  if (!parsed.success) {
    return { do: "dead-letter", reason: "malformed", description: parsed.error.message.slice(0, 1000) };
  }
  const message = parsed.data;
  const item = { tenant: message.tenantId, job: message.jobId, item: message.itemId };
  try {
    const exports = await makeExports(message, blobs, signer);
    const refused = exports.filter(isRefused);
    // Nothing mends a picture that does not fit: another delivery would end the same.
    if (refused.length === exports.length) return await markFailed(item, noneMade(refused), store);
    await store.exported(item, exports);
    return {
      do: "complete",
      outcome: "exported",
      ...(refused.length > 0 && { refused: refused.map(({ name }) => name) }),
    };
  } catch (error) {
    const failure = classify(error);
    if (isRetryable(failure.class) && delivery < maxDeliveries) return { do: "abandon", failure };
    return await markFailed(item, failure, store);
  }
}

async function markFailed(item: ItemId, failure: ClassifiedFailure, store: ExportStore): Promise<Settlement> {
  try {
    await store.failed(item, failure);
    return { do: "complete", outcome: "failed", failure };
  } catch (error) {
    return { do: "abandon", failure: classify(error) };
  }
}

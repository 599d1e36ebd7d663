/**
 * The story of one message of the `exports` queue: read the finished picture, cut it for each channel, write
 * the pictures, mark the item. Everything may run twice: pictures are create-once, and the mark is one guarded
 * statement.
 */
import { createHash } from "node:crypto";
import { exportRef, type ItemKey, stageRecordRef } from "#crds/blob-keys.ts";
import { isRetryable } from "#crds/failure.ts";
import { ExportMessage } from "#crds/messages.ts";
import { StageRecord } from "#crds/runner-report.ts";
import type { Export } from "#crds/stages.ts";
import type { BlobStore } from "./blobs.ts";
import { classify, type ClassifiedFailure, Failure } from "./failure.ts";
import { enlarged } from "./pipeline/box.ts";
import { type Cut, planCut } from "./pipeline/crop.ts";
import { cutExport, decodeForExport, type ExportSource } from "./stages/export.ts";
import { PlaceFacts } from "./stages/facts.ts";

/** A finished export, as the api stores it. */
export interface ExportedPicture {
  readonly name: Export;
  readonly blob_path: string;
  readonly width: number;
  readonly height: number;
  readonly bytes: number;
  readonly sha256: string;
}

interface ItemId {
  readonly tenant: string;
  readonly job: string;
  readonly item: string;
}

/** Where items are marked. False: the item had its verdict already, which is no error. */
export interface ExportStore {
  exported(item: ItemId, exports: readonly ExportedPicture[]): Promise<boolean>;
  failed(item: ItemId, failure: ClassifiedFailure): Promise<boolean>;
}

export interface Delivery {
  readonly body: unknown;
  /** 1 at the first. */
  readonly delivery: number;
  readonly maxDeliveries: number;
}

/** What is to become of the message. */
export type Settlement =
  | { readonly do: "complete"; readonly outcome: "exported" | "failed"; readonly failure?: ClassifiedFailure }
  | { readonly do: "abandon"; readonly failure: ClassifiedFailure }
  | { readonly do: "dead-letter"; readonly reason: string; readonly description: string };

const MAX_PICTURE_BYTES = 512 * 1024 * 1024;
const MAX_RECORD_BYTES = 1024 * 1024;

const keyOf = (message: ExportMessage): ItemKey => ({
  tenant: message.tenantId,
  job: message.jobId,
  uid: message.uid,
  item: message.itemId,
});

/** The frames that the `place` stage planned, in pixels of a picture of `width`; none without that stage. */
async function plannedFrames(
  message: ExportMessage,
  width: number,
  blobs: BlobStore,
): Promise<Record<string, Cut>> {
  const bytes = await blobs.read(stageRecordRef(keyOf(message), "place"), MAX_RECORD_BYTES);
  if (!bytes) return {};
  const record = StageRecord.parse(JSON.parse(new TextDecoder().decode(bytes)));
  const factor = width / record.width;
  if (!Number.isInteger(factor)) return {};
  const { frames } = PlaceFacts.parse(record.facts);
  return Object.fromEntries(Object.entries(frames).map(([name, box]) => [name, enlarged(box, factor)]));
}

async function readSource({ source }: ExportMessage, blobs: BlobStore): Promise<ExportSource> {
  const bytes = await blobs.read(source, MAX_PICTURE_BYTES);
  if (!bytes) throw new Failure("missing-input", `the finished picture ${source} is gone`);
  try {
    return await decodeForExport(bytes);
  } catch (cause) {
    throw new Failure("bad-input", `the finished picture ${source} cannot be read`, { cause });
  }
}

/** Writes the export, or takes what an earlier delivery had written. */
async function writeExport(
  ref: string,
  bytes: Uint8Array,
  type: string,
  blobs: BlobStore,
): Promise<Uint8Array> {
  if ((await blobs.create(ref, bytes, type)) === "created") return bytes;
  const theirs = await blobs.read(ref, MAX_PICTURE_BYTES);
  if (!theirs) throw new Failure("storage", `the export ${ref} was there and is gone`);
  return theirs;
}

async function makeExports(message: ExportMessage, blobs: BlobStore): Promise<ExportedPicture[]> {
  const source = await readSource(message, blobs);
  const frames = await plannedFrames(message, source.width, blobs);
  const look = {
    placement: message.placement,
    content: message.contentBox,
    ...(message.background !== undefined && { background: message.background }),
  };
  const made: ExportedPicture[] = [];
  for (const name of message.exports) {
    const cut = frames[name] ?? planCut(source, message.contentBox, name);
    const picture = await cutExport(source, cut, look);
    const blob_path = exportRef(keyOf(message), name, picture.extension);
    const type = picture.extension === "png" ? "image/png" : "image/jpeg";
    const written = await writeExport(blob_path, picture.bytes, type, blobs);
    made.push({
      name,
      blob_path,
      width: picture.width,
      height: picture.height,
      bytes: written.length,
      sha256: createHash("sha256").update(written).digest("hex"),
    });
  }
  return made;
}

/**
 * Takes one message to its settlement. A failure that another delivery could mend abandons the message; at the
 * last delivery, or when nothing can mend it, the item is marked as failed. Never throws.
 */
export async function processExport(
  { body, delivery, maxDeliveries }: Delivery,
  { blobs, store }: { readonly blobs: BlobStore; readonly store: ExportStore },
): Promise<Settlement> {
  const parsed = ExportMessage.safeParse(body);
  if (!parsed.success) {
    return { do: "dead-letter", reason: "malformed", description: parsed.error.message.slice(0, 1000) };
  }
  const message = parsed.data;
  const item = { tenant: message.tenantId, job: message.jobId, item: message.itemId };
  try {
    await store.exported(item, await makeExports(message, blobs));
    return { do: "complete", outcome: "exported" };
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

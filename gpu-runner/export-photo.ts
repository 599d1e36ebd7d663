/** What an export must know of the photo itself: the `segment` stage has left it in its record. */
import * as z from "zod";
import { type ItemKey, stageRecordRef } from "#crds/blob-keys.ts";
import { StageRecord } from "#crds/runner-report.ts";
import type { BlobStore } from "./blobs.ts";
import { Rights } from "./provenance/rights.ts";

const PhotoFacts = z.object({
  rights: Rights.optional(),
  /** Sides at which the photo's frame cuts the product off. */
  touchesFrame: z.array(z.string()).default([]),
});
export type PhotoFacts = z.infer<typeof PhotoFacts>;

const NOTHING_KNOWN: PhotoFacts = { touchesFrame: [] };
const MAX_RECORD_BYTES = 1024 * 1024;

function parseRecord(bytes: Uint8Array): PhotoFacts {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return NOTHING_KNOWN;
  }
  const record = StageRecord.safeParse(json);
  const facts = PhotoFacts.safeParse(record.data?.facts);
  return facts.data ?? NOTHING_KNOWN;
}

/** Jobs without that stage, and records that cannot be understood, say nothing: an export is made all the same. */
export async function readPhotoFacts(key: ItemKey, blobs: BlobStore): Promise<PhotoFacts> {
  const bytes = await blobs.read(stageRecordRef(key, "segment"), MAX_RECORD_BYTES);
  return bytes ? parseRecord(bytes) : NOTHING_KNOWN;
}

/**
 * Who made a photo and who may use it: read from what the photo carries (XMP before IPTC before EXIF), kept
 * through the pipeline, written into every export. Nothing else of a photo's metadata goes on; where it was
 * taken least of all.
 */
import * as z from "zod";
import { readExifRights } from "./exif.ts";
import { readIptcRights } from "./iptc.ts";
import { readXmpRights } from "./xmp-read.ts";

const Text = z.string().min(1).max(500);

export const Rights = z.object({
  creator: Text.optional(),
  copyright: Text.optional(),
  /** To be named when the picture is published. */
  credit: Text.optional(),
  usageTerms: Text.optional(),
  /** A page or a licence's address. */
  licenceUrl: Text.optional(),
});
export type Rights = z.infer<typeof Rights>;

/** What one block says, not cleaned yet. */
export type FoundRights = { readonly [field in keyof Rights]?: string | undefined };

const RIGHTS_FIELDS = ["creator", "copyright", "credit", "usageTerms", "licenceUrl"] as const;

/** Larger blocks hold thumbnails or edit histories; the fields here need some hundred bytes. */
const MAX_BLOCK_BYTES = 1024 * 1024;

export interface MetadataBlocks {
  readonly exif?: Buffer | undefined;
  readonly iptc?: Buffer | undefined;
  readonly xmp?: Buffer | undefined;
}

/** Foreign text as it may be stored and printed: no control characters, one line, bounded. */
function clean(text: string | undefined): string | undefined {
  const line = text?.replace(/[\p{Cc}\p{Cn}\p{Cs}]+/gu, " ").trim();
  return line ? line.slice(0, 500) : undefined;
}

const within = (block: Buffer | undefined) => (block && block.length <= MAX_BLOCK_BYTES ? block : undefined);

/** @returns undefined when the photo says nothing of its rights. Damaged blocks say nothing. */
export function readRights({ exif, iptc, xmp }: MetadataBlocks): Rights | undefined {
  const sources: readonly FoundRights[] = [
    readXmpRights(within(xmp)),
    readIptcRights(within(iptc)),
    readExifRights(within(exif)),
  ];
  const rights: Partial<Record<(typeof RIGHTS_FIELDS)[number], string>> = {};
  for (const field of RIGHTS_FIELDS) {
    const [text] = sources.flatMap((source) => clean(source[field]) ?? []);
    if (text !== undefined) rights[field] = text;
  }
  return Object.keys(rights).length === 0 ? undefined : rights;
}

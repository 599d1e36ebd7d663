/** Reads items' reports from blob storage. */
import { itemReportRef } from "#crds/blob-keys.ts";
import { ItemReport } from "#crds/runner-report.ts";
import * as z from "zod";
import type { BlobStore } from "../azure/blob.ts";
import type { ReportLookup } from "./verdict.ts";

export interface ReportsOf {
  readonly tenant: string;
  readonly job: string;
  readonly uid: string;
  readonly items: readonly string[];
  /** Enough when so many are found: the cluster says how many it has decided. */
  readonly wanted: number;
}

export type Reports = ReadonlyMap<string, ReportLookup>;

const READS_AT_ONCE = 16;
const MAX_REPORT_BYTES = 256 * 1024;

/** @returns what was found for the items that were looked at, those without a report included. */
export async function readReports(
  blobs: Pick<BlobStore, "readText">,
  { tenant, job, uid, items, wanted }: ReportsOf,
): Promise<Reports> {
  const found = new Map<string, ReportLookup>();
  let present = 0;
  for (let at = 0; at < items.length && present < wanted; at += READS_AT_ONCE) {
    const slice = items.slice(at, at + READS_AT_ONCE);
    const lookups = await Promise.all(slice.map((item) => readReport(blobs, { tenant, job, uid, item })));
    for (const [index, item] of slice.entries()) {
      const lookup = lookups[index] ?? { absent: true };
      found.set(item, lookup);
      if (!("absent" in lookup)) present += 1;
    }
  }
  return found;
}

interface ReportKey {
  readonly tenant: string;
  readonly job: string;
  readonly uid: string;
  readonly item: string;
}

async function readReport(blobs: Pick<BlobStore, "readText">, key: ReportKey): Promise<ReportLookup> {
  let text: string | undefined;
  try {
    text = await blobs.readText(itemReportRef(key), MAX_REPORT_BYTES);
  } catch (error) {
    if (error instanceof RangeError) return { unreadable: "it is too large" };
    throw error;
  }
  return text === undefined ? { absent: true } : parseReport(text, key);
}

export function parseReport(text: string, key: ReportKey): ReportLookup {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return { unreadable: "it is not JSON" };
  }
  const parsed = ItemReport.safeParse(json);
  if (!parsed.success) return { unreadable: z.prettifyError(parsed.error).slice(0, 500) };
  const { tenant, job, uid, item } = parsed.data;
  const isOwn = tenant === key.tenant && job === key.job && uid === key.uid && item === key.item;
  return isOwn ? { report: parsed.data } : { unreadable: "it speaks of another item" };
}

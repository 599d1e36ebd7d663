import { type ItemKey, itemReportRef, recipeRef, stageRecordRef } from "#crds/blob-keys.ts";
import { ItemReport, StageRecord } from "#crds/runner-report.ts";
import type { Stage } from "#crds/stages.ts";
import type * as z from "zod";
import type { BlobStore } from "./blobs.ts";
import { Failure } from "./failure.ts";
import type { Recipe } from "./recipe.ts";

/** A record is small: one that is larger is not ours. */
const MAX_RECORD_BYTES = 1024 * 1024;

/** What is already settled about one item. Every record is written once and never changed. */
export interface Records {
  stage(stage: Stage): Promise<StageRecord | undefined>;
  report(): Promise<ItemReport | undefined>;
  /** Writes the record, or gives back the one that somebody else had written first. */
  settleStage(record: StageRecord): Promise<StageRecord>;
  settleReport(report: ItemReport): Promise<ItemReport>;
  /** Writes the recipe unless there is one already, and tells where it lies. */
  keepRecipe(recipe: Recipe): Promise<string>;
}

export function createRecords(blobs: BlobStore, key: ItemKey): Records {
  async function read<T>(ref: string, schema: z.ZodType<T>): Promise<T | undefined> {
    const bytes = await blobs.read(ref, MAX_RECORD_BYTES);
    if (!bytes) return undefined;
    try {
      return schema.parse(JSON.parse(new TextDecoder().decode(bytes)));
    } catch (cause) {
      throw new Failure("unknown", `the record ${ref} cannot be understood`, { cause });
    }
  }

  async function settle<T>(ref: string, schema: z.ZodType<T>, value: T): Promise<T> {
    const bytes = new TextEncoder().encode(JSON.stringify(value));
    if ((await blobs.create(ref, bytes, "application/json")) === "created") return value;
    const theirs = await read(ref, schema);
    if (!theirs) throw new Failure("storage", `the record ${ref} was there and is gone`);
    return theirs;
  }

  return {
    stage: (stage) => read(stageRecordRef(key, stage), StageRecord),
    report: () => read(itemReportRef(key), ItemReport),
    settleStage: (record) => settle(stageRecordRef(key, record.stage), StageRecord, record),
    keepRecipe: async (recipe) => {
      const ref = recipeRef(key);
      await blobs.create(ref, new TextEncoder().encode(JSON.stringify(recipe)), "application/json");
      return ref;
    },
    settleReport: (report) => settle(itemReportRef(key), ItemReport, report),
  };
}

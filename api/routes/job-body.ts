/** A job as the api shows it. */
import { z } from "@hono/zod-openapi";
import type { JobDetail, JobItem, JobSummary } from "../store/jobs.ts";
import { Status, Timestamp } from "./fields.ts";

const NullableTime = Timestamp.nullable();
const NullablePath = z.string().nullable();

const JobSummaryBody = z
  .object({
    job_id: z.string(),
    brand_profile_id: z.string(),
    status: Status,
    correlation_id: z.string(),
    items_total: z.int(),
    items_completed: z.int(),
    items_failed: z.int(),
    created_at: Timestamp,
    upload_deadline: Timestamp,
    queued_at: NullableTime,
    processing_started_at: NullableTime,
    processing_completed_at: NullableTime,
  })
  .openapi("JobSummary");

const Validation = z
  .object({
    passed: z.boolean(),
    rules: z.array(
      z.object({
        rule: z.string(),
        passed: z.boolean(),
        value: z.union([z.number(), z.string()]),
        wanted: z.string(),
      }),
    ),
  })
  .describe("What the written file was found to be, rule by rule.");

const ExportBody = z.object({
  name: z.string(),
  blob_path: z.string(),
  url: z.string(),
  width: z.int().optional(),
  height: z.int().optional(),
  bytes: z.int().optional(),
  content_type: z.string().optional(),
  validation: Validation.optional(),
});

/** An export that this picture cannot give: too few pixels for a channel, say. The others are not held up. */
const FailedExport = z.object({
  name: z.string(),
  failure: z.object({ class: z.string(), message: z.string() }),
  validation: Validation.optional(),
});

const ItemBody = z
  .object({
    item_id: z.string(),
    filename: z.string(),
    status: Status,
    content_type: z.string().nullable(),
    size_bytes: z.int().nullable(),
    raw_blob_path: NullablePath,
    bg_removed_blob_path: NullablePath,
    placed_blob_path: NullablePath,
    upscaled_blob_path: NullablePath,
    output_blob_path: NullablePath,
    uploaded_at: NullableTime,
    processing_started_at: NullableTime,
    processing_completed_at: NullableTime,
    error: z.object({ class: z.string(), message: z.string() }).nullable(),
    ai_metadata: z.record(z.string(), z.unknown()),
    urls: z
      .object({
        bg_removed: z.string().nullable(),
        placed: z.string().nullable(),
        upscaled: z.string().nullable(),
        output: z.string().nullable(),
      })
      .describe("Open the pictures without a key until urls_expire_at."),
    exports: z.array(ExportBody),
    failed_exports: z.array(FailedExport),
  })
  .openapi("JobItem");

export const JobBody = JobSummaryBody.extend({
  tenant_id: z.string(),
  urls_expire_at: Timestamp,
  items: z.array(ItemBody),
}).openapi("Job");
export const JobPage = z
  .object({ jobs: z.array(JobSummaryBody), next_cursor: z.string().nullable() })
  .openapi("JobPage");

export interface Reading {
  readonly tenantId: string;
  readonly expiresAt: Date;
  readonly readUrl: (ref: string, expiresAt: Date) => Promise<string>;
}

const iso = (time: Date | null) => time?.toISOString() ?? null;

export function summaryBody(job: JobSummary): z.infer<typeof JobSummaryBody> {
  return {
    job_id: job.id,
    brand_profile_id: job.brandProfileId,
    status: job.status,
    correlation_id: job.correlationId,
    items_total: job.itemCount,
    items_completed: job.completedCount,
    items_failed: job.failedCount,
    created_at: job.createdAt.toISOString(),
    upload_deadline: job.uploadDeadline.toISOString(),
    queued_at: iso(job.queuedAt),
    processing_started_at: iso(job.processingStartedAt),
    processing_completed_at: iso(job.processingCompletedAt),
  };
}

export async function jobBody(job: JobDetail, reading: Reading): Promise<z.infer<typeof JobBody>> {
  return {
    ...summaryBody(job),
    tenant_id: reading.tenantId,
    urls_expire_at: reading.expiresAt.toISOString(),
    items: await Promise.all(job.items.map((item) => itemBody(item, reading))),
  };
}

/** What the export worker left in `ai_metadata.exports`. */
const StoredExports = z
  .array(
    z.object({
      name: z.string(),
      blob_path: z.string(),
      width: z.int().optional(),
      height: z.int().optional(),
      bytes: z.int().optional(),
      content_type: z.string().optional(),
      validation: Validation.optional().catch(undefined),
    }),
  )
  .catch([]);

const StoredFailures = z
  .array(FailedExport.extend({ validation: Validation.optional().catch(undefined) }))
  .catch([]);

async function itemBody(item: JobItem, reading: Reading): Promise<z.infer<typeof ItemBody>> {
  const url = async (path: string | null) =>
    path === null ? null : reading.readUrl(path, reading.expiresAt);
  const { exports, ...metadata } = item.aiMetadata;
  const stored = StoredExports.parse(exports ?? []);
  const refused = StoredFailures.parse(metadata["failed_exports"] ?? []);
  return {
    item_id: item.id,
    filename: item.filename,
    status: item.status,
    content_type: item.contentType,
    size_bytes: item.sizeBytes,
    raw_blob_path: item.rawBlobPath,
    bg_removed_blob_path: item.bgRemovedBlobPath,
    placed_blob_path: item.placedBlobPath,
    upscaled_blob_path: item.upscaledBlobPath,
    output_blob_path: item.outputBlobPath,
    uploaded_at: iso(item.uploadedAt),
    processing_started_at: iso(item.processingStartedAt),
    processing_completed_at: iso(item.processingCompletedAt),
    error:
      item.failureClass === null ? null : { class: item.failureClass, message: item.failureMessage ?? "" },
    ai_metadata: { ...metadata, ...(exports !== undefined && { exports }) },
    urls: {
      bg_removed: await url(item.bgRemovedBlobPath),
      placed: await url(item.placedBlobPath),
      upscaled: await url(item.upscaledBlobPath),
      output: await url(item.outputBlobPath),
    },
    exports: await Promise.all(
      stored.map(async ({ blob_path, ...rest }) => ({
        ...rest,
        blob_path,
        url: await reading.readUrl(blob_path, reading.expiresAt),
      })),
    ),
    failed_exports: refused,
  };
}

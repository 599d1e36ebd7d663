/** Builders of rows for tests. */
import { Brand } from "#crds/brand.ts";
import type { Sql } from "./database.ts";
import { createJobStore } from "./jobs.ts";
import { createUploadStore } from "./uploads.ts";

export interface TestJob {
  readonly tenantId: string;
  readonly jobId: string;
  readonly items: readonly string[];
}

let made = 0;

/** A job of which every item is uploaded: queued, with its message in the outbox. */
export async function queueJob(
  sql: Sql,
  { tenantId = "acme", count = 1, jobId }: { tenantId?: string; count?: number; jobId?: string } = {},
): Promise<TestJob> {
  made += 1;
  const id = jobId ?? `job-${made}-${process.pid}`;
  const items = Array.from({ length: count }, (_, index) => `item-${index}`);
  await createJobStore(sql).accept({
    tenantId,
    id,
    brandProfileId: "studio",
    brand: Brand.parse({ background: "#f4f1ea" }),
    correlationId: `corr-${made}`,
    traceparent: undefined,
    uploadWindowSeconds: 3600,
    items: items.map((itemId) => ({ id: itemId, filename: `${itemId}.jpg` })),
  });
  const uploads = createUploadStore(sql);
  for (const itemId of items) {
    await uploads.accept(
      { tenantId, jobId: id, itemId },
      { blobPath: `raw/${tenantId}/${id}/${itemId}/${itemId}.jpg`, bytes: 3, contentType: "image/jpeg" },
    );
  }
  return { tenantId, jobId: id, items };
}

export interface ItemRow {
  readonly status: string;
  readonly failureClass: string | null;
  readonly failureMessage: string | null;
  readonly outputBlobPath: string | null;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly isRendered: boolean;
}

export async function itemsOf(sql: Sql, { tenantId, jobId }: TestJob): Promise<ItemRow[]> {
  return sql<ItemRow[]>`
    select status, failure_class as "failureClass", failure_message as "failureMessage",
           output_blob_path as "outputBlobPath", ai_metadata as metadata, rendered_at is not null as "isRendered"
      from opal.job_items where tenant_id = ${tenantId} and job_id = ${jobId} order by position`;
}

export async function statusOf(sql: Sql, { tenantId, jobId }: TestJob): Promise<string | undefined> {
  const [row] = await sql<{ status: string }[]>`
    select status from opal.jobs where tenant_id = ${tenantId} and id = ${jobId}`;
  return row?.status;
}

/** POST /v1/uploads/sas and /v1/uploads/complete: a write-once URL for a picture, and the word that it is there. */
import { type OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { rawRef } from "#crds/blob-keys.ts";
import { assertOwnTenant } from "../auth.ts";
import { ApiError, type Refusal, invalidField } from "../problem.ts";
import type { AppEnv } from "../request-context.ts";
import type { ItemAddress, UploadSlot, UploadStore } from "../store/uploads.ts";
import { type RouteDeps, secondsFrom } from "./deps.ts";
import { Filename, Id, REFUSALS, TenantId, Timestamp } from "./fields.ts";

const Picture = z.object({ tenant_id: TenantId, job_id: Id, item_id: Id, filename: Filename });

const NewUpload = Picture.extend({
  content_type: z
    .string()
    .max(127)
    .regex(/^image\/[a-z0-9][a-z0-9.+-]*$/i, "must be a picture's media type, like image/jpeg"),
}).openapi("NewUpload");

const UploadUrl = z
  .object({
    upload_url: z.string(),
    method: z.literal("PUT"),
    headers: z.record(z.string(), z.string()).describe("To be sent with the PUT."),
    blob_path: z.string(),
    expires_at: Timestamp,
  })
  .openapi("UploadUrl");

const UploadedItem = z
  .object({
    job_id: z.string(),
    item_id: z.string(),
    filename: z.string(),
    status: z.literal("uploaded"),
    blob_path: z.string(),
    size_bytes: z.int(),
  })
  .openapi("UploadedItem");

const sasRoute = createRoute({
  method: "post",
  path: "/v1/uploads/sas",
  request: { body: { required: true, content: { "application/json": { schema: NewUpload } } } },
  responses: {
    200: { description: "Where to put the picture.", content: { "application/json": { schema: UploadUrl } } },
    ...REFUSALS,
  },
});

const completeRoute = createRoute({
  method: "post",
  path: "/v1/uploads/complete",
  request: {
    body: { required: true, content: { "application/json": { schema: Picture.openapi("Upload") } } },
  },
  responses: {
    200: {
      description: "The picture is there. The job starts when all of its pictures are.",
      content: { "application/json": { schema: UploadedItem } },
    },
    ...REFUSALS,
  },
});

export function addUploads(app: OpenAPIHono<AppEnv>, deps: RouteDeps): void {
  const { uploads, blobs, now, limits } = deps;

  app.openapi(sasRoute, async (c) => {
    const body = c.req.valid("json");
    assertOwnTenant(c.get("tenantId"), body.tenant_id);
    const slot = await findSlot(uploads, body);
    assertAwaited(slot, now());
    const blobPath = blobPathOf(body);
    const expiresAt = secondsFrom(now(), limits.uploadUrlSeconds);
    const answer = {
      upload_url: await blobs.uploadUrl(blobPath, expiresAt),
      method: "PUT" as const,
      headers: {
        "x-ms-blob-type": "BlockBlob",
        "content-type": body.content_type,
        // The URL's create-only permission forbids overwriting; this says so in the protocol's own words too.
        "if-none-match": "*",
      },
      blob_path: blobPath,
      expires_at: expiresAt.toISOString(),
    };
    return c.json(answer, 200);
  });

  app.openapi(completeRoute, async (c) => {
    const body = c.req.valid("json");
    assertOwnTenant(c.get("tenantId"), body.tenant_id);
    const slot = await findSlot(uploads, body);
    const known = knownUpload(slot, limits.maxUploadBytes);
    const { blobPath, bytes } = known ?? (await takeUpload(body, deps));
    const answer = {
      job_id: body.job_id,
      item_id: body.item_id,
      filename: slot.filename,
      // Of the upload, not of the item, which may be further on: a repeated call gets the same answer.
      status: "uploaded" as const,
      blob_path: blobPath,
      size_bytes: bytes,
    };
    return c.json(answer, 200);
  });
}

type PictureFields = z.infer<typeof Picture>;

const addressOf = ({ tenant_id, job_id, item_id }: PictureFields): ItemAddress => ({
  tenantId: tenant_id,
  jobId: job_id,
  itemId: item_id,
});

function blobPathOf({ tenant_id, job_id, item_id, filename }: PictureFields): string {
  return rawRef({
    tenant: tenant_id,
    job: job_id,
    item: item_id,
    filename: filename.normalize("NFC"),
  });
}

async function findSlot(uploads: UploadStore, body: PictureFields): Promise<UploadSlot> {
  const found = await uploads.find(addressOf(body));
  if ("missing" in found) {
    throw new ApiError({
      status: 404,
      code: `${found.missing}_not_found`,
      detail: found.missing === "job" ? "There is no such job." : "The job has no such item.",
    });
  }
  if (found.slot.filename !== body.filename.normalize("NFC")) {
    throw invalidField("filename", "is not the file name of this item", "filename_mismatch");
  }
  return found.slot;
}

const tooLarge = (bytes: number | null, maxBytes: number): Refusal => ({
  status: 413,
  code: "upload_too_large",
  detail: `The picture has ${bytes ?? "too many"} bytes; at most ${maxBytes} are taken. The item has failed: send a smaller picture in a new job.`,
});

const conflict = (code: string, detail: string): ApiError => new ApiError({ status: 409, code, detail });

function assertAwaited(slot: UploadSlot, now: Date): void {
  if (slot.status === "failed") throw conflict("item_failed", slot.failureMessage ?? "The item has failed.");
  if (slot.status !== "created") {
    throw conflict("already_uploaded", "The picture of this item is uploaded already.");
  }
  if (slot.uploadDeadline <= now) {
    throw conflict(
      "upload_window_closed",
      "The time in which the job's pictures had to be uploaded is over.",
    );
  }
}

const TOO_LARGE_CLASS = "bad-input";

interface KnownUpload {
  readonly blobPath: string;
  readonly bytes: number;
}

/** What an earlier call found, or nothing when there was none. */
function knownUpload(slot: UploadSlot, maxBytes: number): KnownUpload | undefined {
  if (slot.rawBlobPath !== null) return { blobPath: slot.rawBlobPath, bytes: slot.sizeBytes ?? 0 };
  if (slot.status !== "failed") return undefined;
  if (slot.failureClass === TOO_LARGE_CLASS) throw new ApiError(tooLarge(slot.sizeBytes, maxBytes));
  throw conflict("item_failed", slot.failureMessage ?? "The item has failed.");
}

/** What the uploader claimed, when it is of a form that the OpalJob takes; the bytes decide anyway. */
function plainMediaType(claimed: string | undefined): string | undefined {
  return claimed !== undefined && /^[\w.+-]{1,60}\/[\w.+-]{1,60}$/.test(claimed) ? claimed : undefined;
}

async function takeUpload(body: PictureFields, { blobs, uploads, limits }: RouteDeps): Promise<KnownUpload> {
  const blobPath = blobPathOf(body);
  const blob = await blobs.head(blobPath);
  if (!blob) {
    throw conflict("upload_missing", "The picture is not there yet: PUT it to the upload_url first.");
  }
  const address = addressOf(body);
  if (blob.bytes > limits.maxUploadBytes) {
    // The URL writes once, so the item cannot be mended; the rest of the job goes on without it.
    const refusal = tooLarge(blob.bytes, limits.maxUploadBytes);
    await uploads.refuse(address, { class: TOO_LARGE_CLASS, message: refusal.detail, bytes: blob.bytes });
    throw new ApiError(refusal);
  }
  const contentType = plainMediaType(blob.contentType);
  await uploads.accept(address, { blobPath, bytes: blob.bytes, contentType });
  return { blobPath, bytes: blob.bytes };
}

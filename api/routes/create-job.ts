/** POST /v1/jobs: accepts a job; its pictures are then uploaded one by one. */
import { createHash } from "node:crypto";
import { type OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import type { Brand } from "#crds/brand.ts";
import { assertOwnTenant } from "../auth.ts";
import { builtInBrand, resolveBrand } from "../brand.ts";
import { ApiError, invalidField } from "../problem.ts";
import type { AppEnv } from "../request-context.ts";
import type { JobDetail, JobStore, NewJob } from "../store/jobs.ts";
import type { RouteDeps } from "./deps.ts";
import { Filename, REFUSALS, Status, TenantId } from "./fields.ts";

const requestSchema = (maxItems: number) =>
  z
    .object({
      tenant_id: TenantId,
      brand_profile_id: z.string().min(1).max(64),
      items: z
        .array(z.object({ filename: Filename }))
        .min(1)
        .max(maxItems),
    })
    .superRefine(({ items }, context) => {
      const seen = new Set<string>();
      for (const [index, { filename }] of items.entries()) {
        const name = filename.normalize("NFC");
        if (seen.has(name)) {
          const path = ["items", index, "filename"];
          context.addIssue({ code: "custom", path, message: "occurs twice in this job" });
        }
        seen.add(name);
      }
    })
    .openapi("NewJob");

const Answer = z
  .object({
    job_id: z.string(),
    status: Status,
    items: z.array(z.object({ item_id: z.string(), filename: z.string(), status: Status })),
  })
  .openapi("AcceptedJob");

const IdempotencyKey = z.object({ "idempotency-key": z.string().min(1).max(255).optional() });

const route = (maxItems: number) =>
  createRoute({
    method: "post",
    path: "/v1/jobs",
    request: {
      headers: IdempotencyKey,
      body: { required: true, content: { "application/json": { schema: requestSchema(maxItems) } } },
    },
    responses: {
      201: { description: "Accepted.", content: { "application/json": { schema: Answer } } },
      ...REFUSALS,
    },
  });

export function addCreateJob(app: OpenAPIHono<AppEnv>, { jobs, newId, limits }: RouteDeps): void {
  app.openapi(route(limits.maxItemsPerJob), async (c) => {
    const body = c.req.valid("json");
    const tenantId = c.get("tenantId");
    assertOwnTenant(tenantId, body.tenant_id);
    const key = c.req.valid("header")["idempotency-key"];
    const job: NewJob = {
      tenantId,
      id: newId(),
      brandProfileId: body.brand_profile_id,
      brand: await brandOf(jobs, tenantId, body.brand_profile_id),
      correlationId: c.get("correlationId"),
      traceparent: c.get("traceparent"),
      uploadWindowSeconds: limits.uploadWindowSeconds,
      items: body.items.map(({ filename }) => ({ id: newId(), filename: filename.normalize("NFC") })),
      ...(key !== undefined && { idempotency: { key, requestHash: hashOf(body) } }),
    };
    const accepted = await acceptedJob(jobs, job);
    if (accepted.id !== job.id) c.header("idempotency-replayed", "true");
    c.header("location", `/v1/jobs/${accepted.id}`);
    return c.json({ job_id: accepted.id, status: accepted.status, items: accepted.items }, 201);
  });
}

async function brandOf(jobs: JobStore, tenantId: string, profileId: string): Promise<Brand> {
  const profile = await jobs.findBrandProfile(tenantId, profileId);
  if (!profile) {
    const brand = builtInBrand(profileId);
    if (brand) return brand;
    throw invalidField("brand_profile_id", "there is no such brand profile", "brand_profile_unknown");
  }
  const resolved = resolveBrand(profile);
  if ("brand" in resolved) return resolved.brand;
  const message = `the profile cannot be used: ${resolved.problem}`;
  throw invalidField("brand_profile_id", message, "brand_profile_invalid");
}

/** Parsed fields only, in a fixed order: the same request in another notation is the same request. */
function hashOf(body: z.infer<ReturnType<typeof requestSchema>>): string {
  const fields = [body.brand_profile_id, ...body.items.map(({ filename }) => filename)];
  return createHash("sha256").update(JSON.stringify(fields)).digest("hex");
}

type Accepted = Pick<z.infer<typeof Answer>, "status" | "items"> & { readonly id: string };

async function acceptedJob(jobs: JobStore, job: NewJob): Promise<Accepted> {
  const acceptance = await jobs.accept(job);
  switch (acceptance.outcome) {
    case "created":
      return answer({
        ...job,
        status: "created",
        items: job.items.map((item) => ({ ...item, status: "created" })),
      });
    case "mismatch":
      throw new ApiError({
        status: 422,
        code: "idempotency_key_reused",
        detail: "This Idempotency-Key was used for another request.",
        errors: [{ field: "idempotency-key", message: "was used for another request" }],
      });
    case "replayed": {
      const earlier = await jobs.find(job.tenantId, acceptance.jobId);
      if (!earlier) throw new Error(`job ${acceptance.jobId} of an idempotency key is gone`);
      return answer(earlier);
    }
    default:
      return acceptance satisfies never;
  }
}

function answer({
  id,
  status,
  items,
}: Pick<JobDetail, "id" | "status"> & {
  readonly items: readonly Pick<JobDetail["items"][number], "id" | "filename" | "status">[];
}): Accepted {
  return {
    id,
    status,
    items: items.map((item) => ({ item_id: item.id, filename: item.filename, status: item.status })),
  };
}

/** GET /v1/jobs and /v1/jobs/{id}: what became of a tenant's jobs. */
import { type OpenAPIHono, createRoute, z } from "@hono/zod-openapi";
import { rememberReadUrls, sharedExpiry } from "../azure/read-url-cache.ts";
import { ApiError, invalidField } from "../problem.ts";
import { JOB_ID_PATTERN } from "../ids.ts";
import type { AppEnv } from "../request-context.ts";
import type { JobSummary } from "../store/jobs.ts";
import type { RouteDeps } from "./deps.ts";
import { Id, REFUSALS, Status } from "./fields.ts";
import { JobBody, JobPage, jobBody, summaryBody } from "./job-body.ts";

const getRoute = createRoute({
  method: "get",
  path: "/v1/jobs/{id}",
  request: { params: z.object({ id: Id }) },
  responses: {
    200: { description: "The job with its items.", content: { "application/json": { schema: JobBody } } },
    ...REFUSALS,
  },
});

const listRoute = createRoute({
  method: "get",
  path: "/v1/jobs",
  request: {
    query: z.object({
      limit: z.coerce.number().int().min(1).max(100).default(20),
      cursor: z.string().max(128).optional(),
      status: Status.optional(),
    }),
  },
  responses: {
    200: { description: "Jobs, newest first.", content: { "application/json": { schema: JobPage } } },
    ...REFUSALS,
  },
});

export function addReadJobs(app: OpenAPIHono<AppEnv>, { jobs, blobs, now, limits }: RouteDeps): void {
  const readUrl = rememberReadUrls(blobs.readUrl);

  app.openapi(getRoute, async (c) => {
    const job = await jobs.find(c.get("tenantId"), c.req.valid("param").id);
    if (!job) {
      throw new ApiError({ status: 404, code: "job_not_found", detail: "There is no such job." });
    }
    // The answer holds URLs that open the pictures.
    c.header("cache-control", "private, no-store");
    const body = await jobBody(job, {
      tenantId: c.get("tenantId"),
      expiresAt: sharedExpiry(now(), limits.readUrlSeconds),
      readUrl,
    });
    return c.json(body, 200);
  });

  app.openapi(listRoute, async (c) => {
    const { limit, cursor, status } = c.req.valid("query");
    const before = cursor === undefined ? undefined : jobIdOf(cursor);
    const rows = await jobs.list(c.get("tenantId"), { limit: limit + 1, before, status });
    const page = rows.slice(0, limit);
    const last = rows.length > limit ? page.at(-1) : undefined;
    return c.json({ jobs: page.map(summaryBody), next_cursor: last ? cursorOf(last) : null }, 200);
  });
}

function cursorOf({ id }: JobSummary): string {
  return Buffer.from(`job:${id}`, "utf8").toString("base64url");
}

function jobIdOf(cursor: string): string {
  const id = Buffer.from(cursor, "base64url").toString("utf8").replace(/^job:/, "");
  if (!JOB_ID_PATTERN.test(id)) throw invalidField("cursor", "is not a next_cursor of this list");
  return id;
}

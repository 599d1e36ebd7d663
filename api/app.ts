/**
 * The HTTP api: who is calling, what they ask, and problem+json (RFC 9457) for everything that is refused.
 * The routes tell the stories; this file is the frame round them.
 */
import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import type { Logger } from "pino";
import type { Histogram } from "prom-client";
import type * as z from "zod";
import { authenticate } from "./auth.ts";
import { ApiError, type Refusal, problemOf } from "./problem.ts";
import { type AppEnv, requestContext } from "./request-context.ts";
import { addCreateJob } from "./routes/create-job.ts";
import type { RouteDeps } from "./routes/deps.ts";
import { addReadJobs } from "./routes/read-jobs.ts";
import { addUploads } from "./routes/uploads.ts";

export interface AppDeps extends RouteDeps {
  readonly tenantOf: (key: string) => string | undefined;
  readonly log: Logger;
  readonly requestSeconds: Histogram;
}

/** 1,000 file names of 255 characters fit, whatever their alphabet. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;

/** Which methods each path has: any other one is a 405 and not a 404. */
const METHODS: Readonly<Record<string, string>> = {
  "/v1/jobs": "GET, POST",
  "/v1/jobs/:id": "GET",
  "/v1/uploads/sas": "POST",
  "/v1/uploads/complete": "POST",
};

export function createApp(deps: AppDeps): OpenAPIHono<AppEnv> {
  const { log, newId, requestSeconds } = deps;
  const app = new OpenAPIHono<AppEnv>({
    defaultHook: (result) => {
      if (!result.success) throw invalidRequest(result.error);
    },
  });
  app.use(requestContext({ newId, log, seconds: requestSeconds }));
  app.use("/v1/*", authenticate(deps.tenantOf));
  app.use("/v1/*", bodyLimit({ maxSize: MAX_BODY_BYTES, onError: refuseLargeBody }), requireJson);

  addCreateJob(app, deps);
  addReadJobs(app, deps);
  addUploads(app, deps);

  for (const [path, allow] of Object.entries(METHODS)) {
    app.all(path, (c) => {
      throw new ApiError({
        status: 405,
        code: "method_not_allowed",
        detail: `${c.req.method} is not possible here; ${allow} is.`,
        headers: { allow },
      });
    });
  }
  app.notFound((c) =>
    respond(c, { status: 404, code: "route_not_found", detail: `There is nothing at ${c.req.path}.` }),
  );
  app.onError((error, c) => {
    const refusal = refusalOf(error);
    if (refusal) return respond(c, refusal);
    const { requestId, correlationId } = c.var;
    log.error(
      { err: error, requestId, correlationId, method: c.req.method, path: c.req.path },
      "request failed",
    );
    return respond(c, INTERNAL);
  });
  return app;
}

const INTERNAL = {
  status: 500,
  code: "internal",
  detail: "Something went wrong on our side; try again, and name the request_id when you ask us.",
} as const;

function respond(
  c: Context<AppEnv>,
  refusal: Omit<Refusal, "status"> & { readonly status: Refusal["status"] | 500 },
) {
  const { headers, ...facts } = refusal;
  for (const [name, value] of Object.entries(headers ?? {})) c.header(name, value);
  c.header("content-type", "application/problem+json");
  const problem = problemOf(facts, {
    path: c.req.path,
    requestId: c.get("requestId"),
    correlationId: c.get("correlationId"),
  });
  return c.body(JSON.stringify(problem), refusal.status);
}

function refusalOf(error: Error): Refusal | undefined {
  if (error instanceof ApiError) return error.refusal;
  if (error instanceof HTTPException && error.status === 400) {
    return { status: 400, code: "malformed_json", detail: "The body is not JSON." };
  }
  return undefined;
}

function invalidRequest(error: z.ZodError): ApiError {
  const errors = error.issues.map(({ path, message }) => ({ field: fieldOf(path), message }));
  const [first] = errors;
  return new ApiError({
    status: 422,
    code: "invalid_request",
    detail: first ? `${first.field}: ${first.message}` : "The request is not valid.",
    errors: errors.slice(0, MAX_ERRORS),
  });
}

const MAX_ERRORS = 50;

/** `items[3].filename` */
function fieldOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text === "" ? String(part) : `${text}.${String(part)}`;
  }, "");
}

function refuseLargeBody(): never {
  throw new ApiError({
    status: 413,
    code: "body_too_large",
    detail: `The body may have at most ${MAX_BODY_BYTES} bytes.`,
  });
}

async function requireJson(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  const type = c.req.header("content-type") ?? "";
  if (c.req.method === "POST" && !/^application\/json\b/i.test(type)) {
    throw new ApiError({
      status: 415,
      code: "unsupported_media_type",
      detail: "Send the body as application/json.",
    });
  }
  await next();
}

/** The fields of requests and answers that more than one route has. */
import { z } from "@hono/zod-openapi";
import { dnsLabel } from "#crds/opaljob.ts";
import { STATUSES } from "../store/status.ts";

export const TenantId = dnsLabel();
export const Status = z.enum(STATUSES);

/** Ids are looked up, not trusted: anything short will do, and an unknown one is a 404. */
export const Id = z.string().min(1).max(64);

/** Control characters, and what file systems and URLs give a meaning to. */
// eslint-disable-next-line no-control-regex
const UNSAFE = /[\u0000-\u001f\u007f-\u009f/\\]|^\.+$|[\u202a-\u202e\u2066-\u2069]/;

/** The name of one picture within its job: kept as given for people, made safe for blob paths elsewhere. */
export const Filename = z
  .string()
  .min(1)
  .max(255)
  .refine((name) => !UNSAFE.test(name), "must be a plain file name: no path, no control characters")
  .refine((name) => name.trim() === name, "must not begin or end with a space");

export const Timestamp = z.iso.datetime();

const ProblemBody = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string().describe("Stable and machine-readable."),
    detail: z.string(),
    instance: z.string(),
    request_id: z.string(),
    correlation_id: z.string(),
    errors: z.array(z.object({ field: z.string(), message: z.string() })).optional(),
  })
  .openapi("Problem");

const problem = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: ProblemBody } },
});

/** The refusals that every route can answer with. */
export const REFUSALS = {
  400: problem("The body is not JSON."),
  401: problem("The API key is missing or unknown."),
  403: problem("tenant_id is not the tenant of the API key."),
  404: problem("There is no such thing for this tenant."),
  409: problem("The state of the thing does not allow this."),
  413: problem("The body or the picture is too large."),
  422: problem("A field is wrong; `errors` names it."),
};

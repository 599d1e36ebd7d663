/** Who is calling: the tenant is taken from the API key, never from the request's body. */
import { createHash, timingSafeEqual } from "node:crypto";
import type { MiddlewareHandler } from "hono";
import * as z from "zod";
import { dnsLabel } from "#crds/opaljob.ts";
import { ApiError } from "./problem.ts";
import type { AppEnv } from "./request-context.ts";

/** The keys file: a key is stored only as its SHA-256, which is enough for a long random secret. */
export const ApiKeys = z
  .array(
    z.object({
      tenant: dnsLabel(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/, "must be 64 lower-case hexadecimal digits"),
    }),
  )
  .min(1);
export type ApiKeys = z.infer<typeof ApiKeys>;

function hashKey(key: string): Buffer {
  return createHash("sha256").update(key, "utf8").digest();
}

/** Compares with every key, in constant time each, so that the time taken tells nothing. */
export function createKeyRing(keys: ApiKeys): (key: string) => string | undefined {
  const ring = keys.map(({ tenant, sha256 }) => ({ tenant, hash: Buffer.from(sha256, "hex") }));
  return (key) => {
    const hash = hashKey(key);
    let tenant: string | undefined;
    for (const entry of ring) if (timingSafeEqual(entry.hash, hash)) tenant = entry.tenant;
    return tenant;
  };
}

const BEARER = /^Bearer +([^\s]+)$/i;

export function authenticate(tenantOf: (key: string) => string | undefined): MiddlewareHandler<AppEnv> {
  return async function authenticateTenant(c, next) {
    const key = BEARER.exec(c.req.header("authorization") ?? "")?.[1] ?? c.req.header("x-api-key");
    const tenant = key === undefined ? undefined : tenantOf(key);
    if (tenant === undefined) {
      throw new ApiError({
        status: 401,
        code: key === undefined ? "api_key_missing" : "api_key_unknown",
        detail:
          key === undefined
            ? "Send your API key as `Authorization: Bearer <key>` or as `X-Api-Key`."
            : "This API key is not known.",
        headers: { "www-authenticate": "Bearer" },
      });
    }
    c.set("tenantId", tenant);
    await next();
  };
}

/** Bodies name their tenant too; a wrong one is a mistake worth telling, not another way in. */
export function assertOwnTenant(tenantId: string, claimed: string): void {
  if (tenantId === claimed) return;
  throw new ApiError({
    status: 403,
    code: "tenant_mismatch",
    detail: "tenant_id is not the tenant of this API key.",
    errors: [{ field: "tenant_id", message: "is not the tenant of this API key" }],
  });
}

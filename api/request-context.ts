/** What every request carries: ids that travel with it, one log line and one measurement at its end. */
import type { Context, MiddlewareHandler } from "hono";
import { routePath } from "hono/route";
import type { Logger } from "pino";
import type { Histogram } from "prom-client";

export interface AppEnv {
  Variables: {
    tenantId: string;
    requestId: string;
    correlationId: string;
    traceparent: string | undefined;
  };
}

const CORRELATION_ID = /^[A-Za-z0-9._:-]{1,128}$/;
const TRACEPARENT = /^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;

export interface RequestContextOptions {
  readonly newId: () => string;
  readonly log: Logger;
  /** Labelled method, route, status. */
  readonly seconds: Histogram;
}

export function requestContext({ newId, log, seconds }: RequestContextOptions): MiddlewareHandler<AppEnv> {
  return async function carryContext(c, next) {
    const requestId = newId();
    const offered = c.req.header("x-correlation-id");
    const correlationId = offered !== undefined && CORRELATION_ID.test(offered) ? offered : requestId;
    const traceparent = c.req.header("traceparent");
    c.set("requestId", requestId);
    c.set("correlationId", correlationId);
    c.set(
      "traceparent",
      traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined,
    );

    const start = performance.now();
    await next();
    const elapsed = (performance.now() - start) / 1000;

    c.header("x-request-id", requestId);
    c.header("x-correlation-id", correlationId);
    const labels = { method: c.req.method, route: routeOf(c), status: String(c.res.status) };
    seconds.observe(labels, elapsed);
    log.info({ ...labels, requestId, correlationId, tenant: c.get("tenantId"), seconds: elapsed }, "request");
  };
}

/** The route's pattern, never the path: paths hold ids, and labels must stay few. */
function routeOf(c: Context<AppEnv>): string {
  const pattern = routePath(c, -1);
  return pattern.includes("*") ? "unmatched" : pattern;
}

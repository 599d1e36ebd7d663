/** /healthz, /readyz and /metrics: the same for every role. */
import { Hono } from "hono";
import type { Registry } from "prom-client";

/** Resolves when the part is fit for work; throws, saying why, when it is not. */
export type ReadinessCheck = () => Promise<void> | void;

export interface HealthOptions {
  readonly checks: Readonly<Record<string, ReadinessCheck>>;
  readonly registry: Registry;
}

export function createHealthApp({ checks, registry }: HealthOptions): Hono {
  const app = new Hono();
  app.get("/healthz", (c) => c.json({ status: "alive" }));
  app.get("/readyz", async (c) => {
    const results = await Promise.all(
      Object.entries(checks).map(async ([name, check]) => [name, await outcomeOf(check)] as const),
    );
    const isReady = results.every(([, outcome]) => outcome === "ok");
    return c.json(
      { status: isReady ? "ready" : "not ready", checks: Object.fromEntries(results) },
      isReady ? 200 : 503,
    );
  });
  app.get("/metrics", async (c) => {
    c.header("content-type", registry.contentType);
    return c.body(await registry.metrics());
  });
  return app;
}

async function outcomeOf(check: ReadinessCheck): Promise<string> {
  try {
    await check();
    return "ok";
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

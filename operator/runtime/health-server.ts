import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Registry } from "prom-client";

export interface HealthServer {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * `/healthz` (200 while the process can answer at all), `/readyz` (200 or 503 with what is missing) and
 * `/metrics`. Port 0 takes any free one.
 */
export async function startHealthServer(settings: {
  port: number;
  registry: Registry;
  /** What is not ready yet, in words; empty when all is. */
  notReady: () => readonly string[];
}): Promise<HealthServer> {
  const answers: Record<string, () => Promise<{ status: number; type: string; body: string }>> = {
    "/healthz": () => Promise.resolve({ status: 200, type: "text/plain", body: "ok\n" }),
    "/readyz": () => {
      const missing = settings.notReady();
      return Promise.resolve(
        missing.length === 0
          ? { status: 200, type: "text/plain", body: "ok\n" }
          : { status: 503, type: "text/plain", body: `not ready: ${missing.join(", ")}\n` },
      );
    },
    "/metrics": async () => ({
      status: 200,
      type: settings.registry.contentType,
      body: await settings.registry.metrics(),
    }),
  };
  const notFound = () => Promise.resolve({ status: 404, type: "text/plain", body: "not found\n" });
  const server = createServer((request, response) => {
    const path = new URL(request.url ?? "/", "http://localhost").pathname;
    const answer = answers[path] ?? notFound;
    answer().then(
      ({ status, type, body }) => response.writeHead(status, { "content-type": type }).end(body),
      (error: unknown) => response.writeHead(500).end(`${String(error)}\n`),
    );
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(settings.port, resolve);
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { json } from "node:stream/consumers";
import { expect, it } from "vitest";
import { createApiClient } from "./api-client.ts";
import { systemClock } from "./clock.ts";
import { createKubeHttp } from "./kube-http.ts";
import { createElection, patienceMs } from "./leader-election.ts";
import { silentLog } from "./testing.ts";

it("a leader whose connections fall silent makes new ones and goes on leading", async () => {
  let lease: object | undefined;
  let renewals = 0;
  const connections = new Set<Socket>();
  let silent = new Set<Socket>();
  async function answer(request: IncomingMessage): Promise<object | undefined> {
    if (request.method === "GET") return lease;
    renewals++;
    lease = { ...((await json(request)) as object), metadata: { resourceVersion: String(renewals) } };
    return lease;
  }
  const server = createServer((request, response) => {
    if (silent.has(request.socket)) return;
    void answer(request).then((body) => response.writeHead(body ? 200 : 404).end(JSON.stringify(body ?? {})));
  });
  server.on("connection", (socket: Socket) => connections.add(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const http = createKubeHttp(
    {
      server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      tls: {},
      authorization: () => Promise.resolve(undefined),
    },
    "test",
  );
  const times = { durationSeconds: 2, renewSeconds: 1.5, retrySeconds: 0.1 };
  const resource = { group: "coordination.k8s.io", version: "v1", plural: "leases", namespace: "n" };
  const client = createApiClient({
    http,
    gate: () => Promise.resolve(undefined),
    observer: { requested() {} },
    timeoutMs: patienceMs(times),
  });
  const election = createElection(
    { resource, name: "lease", identity: "a", ...times },
    { client, clock: systemClock, log: silentLog },
  );
  const stop = new AbortController();
  let terms = 0;
  const running = election.run(async (signal) => {
    terms++;
    await once(signal, "abort");
  }, stop.signal);
  try {
    await expect.poll(() => renewals).toBeGreaterThan(1);
    silent = new Set(connections);
    const before = renewals;
    await expect.poll(() => renewals, { timeout: 3000 }).toBeGreaterThan(before);
    expect(election.isHeld).toBe(true);
    expect(terms).toBe(1);
  } finally {
    stop.abort();
    await running;
    http.close();
    server.closeAllConnections();
    server.close();
  }
});

import { createServer, type Server } from "node:http";
import { once } from "node:events";
import type { AddressInfo, Socket } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { NoAnswerError } from "./errors.ts";
import { createKubeHttp, type KubeHttp } from "./kube-http.ts";

let server: Server;
let http: KubeHttp;
/** Connections that have gone silent: nothing that comes on them is answered. */
let silent: Set<Socket>;
let connections: Socket[];

beforeEach(async () => {
  silent = new Set();
  connections = [];
  server = createServer((request, response) => {
    if (!silent.has(request.socket)) response.end("{}");
  });
  server.on("connection", (socket: Socket) => connections.push(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  http = createKubeHttp(
    {
      server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      tls: {},
      authorization: () => Promise.resolve(undefined),
    },
    "test",
  );
});
afterEach(async () => {
  http.close();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const read = (timeoutMs = 5000) => http.request({ method: "GET", path: "/", timeoutMs });

it("tells when no answer came, and why", async () => {
  server.closeAllConnections();
  server.on("connection", (socket: Socket) => socket.resetAndDestroy());
  const error: unknown = await read().catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(NoAnswerError);
  expect(String(error)).toMatch(/GET \/: no answer from the API server: .*(ECONNRESET|hang up)/);
});

it("waits for one silent connection only, however many have gone silent", async () => {
  await Promise.all(Array.from({ length: 5 }, () => read()));
  expect(connections.length).toBeGreaterThan(1);
  silent = new Set(connections);
  await expect(read(100)).rejects.toThrow("GET /: no answer from the API server: none within 100 ms");
  expect((await read(100)).status).toBe(200);
});

it("rejects with the caller's own reason when the caller breaks off", async () => {
  const stop = new AbortController();
  const reason = new Error("enough");
  await read();
  silent = new Set(connections);
  const asked = http.request({ method: "GET", path: "/", signal: stop.signal });
  stop.abort(reason);
  await expect(asked).rejects.toBe(reason);
});

import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, expect, it } from "vitest";
import { createApiClient } from "./api-client.ts";
import { systemClock } from "./clock.ts";
import { createKubeHttp, type KubeHttp } from "./kube-http.ts";
import { createReflector, type RestartReason } from "./reflector.ts";
import { Store } from "./store.ts";

/** The reflector on real sockets, before a server that lets its watches end in every bad way. */

interface Thing {
  readonly metadata: { readonly name: string };
}

let server: Server;
let http: KubeHttp;
let watches: ServerResponse[];
let store: Store<Thing>;
let restarts: RestartReason[];
let stop: AbortController;
let running: Promise<void>;
let waiting: (() => void)[];

beforeEach(async () => {
  watches = [];
  restarts = [];
  waiting = [];
  stop = new AbortController();
  server = createServer((request, response) => {
    if (request.url?.includes("watch=true")) {
      response.writeHead(200, { "content-type": "application/json" }).flushHeaders();
      watches.push(response);
      wake();
    } else {
      response.end(JSON.stringify({ metadata: { resourceVersion: "1" }, items: [] }));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  http = createKubeHttp(
    {
      server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
      tls: {},
      authorization: () => Promise.resolve(undefined),
    },
    "test",
  );
  const client = createApiClient({
    http,
    gate: () => Promise.resolve(undefined),
    observer: { requested() {} },
  });
  const resource = { group: "", version: "v1", plural: "things", namespace: "n" };
  store = new Store<Thing>({});
  store.onChange(() => wake());
  const reflector = createReflector<Thing>({
    source: {
      list: (page, signal) => client.list(resource, page, signal),
      watch: (options) => client.watch(resource, options),
    },
    target: store,
    transform: (raw) => raw as Thing,
    observer: { listed() {}, restarted: ({ why }) => restarts.push(why), skipped() {} },
    clock: systemClock,
    random: () => 0,
    backoff: { baseMs: 10, maxMs: 50 },
    staleMs: 300,
  });
  running = reflector.run(stop.signal);
  await until(() => watches.length === 1);
});

afterEach(async () => {
  stop.abort();
  await running;
  http.close();
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function wake(): void {
  for (const resolve of waiting.splice(0)) resolve();
}

/** Resolves when it is so; what happens here wakes it. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise<void>((resolve) => waiting.push(resolve));
}

const event = (name: string, version: number) =>
  `${JSON.stringify({
    type: "ADDED",
    object: { metadata: { name, namespace: "n", uid: name, resourceVersion: String(version) } },
  })}\n`;

it.each<[string, (watch: ServerResponse) => void, RestartReason]>([
  [
    "is reset in the middle of an event",
    (watch) => watch.write(event("lost", 3).slice(0, 20), () => watch.destroy()),
    "broken",
  ],
  ["is cut off without its last chunk", (watch) => watch.socket?.end(), "broken"],
  ["ends in order", (watch) => watch.end(), "closed"],
  ["stays open but brings nothing any more", () => {}, "stale"],
  ["sends rubbish", (watch) => watch.write("<html>\n"), "broken"],
])("goes on when the watch %s", async (_what, end, why) => {
  const [first] = watches;
  first?.write(event("a", 2));
  await until(() => store.size === 1);
  if (first) end(first);
  await until(() => watches.length === 2);
  expect(restarts[0]).toBe(why);
  watches[1]?.write(event("b", 4));
  await until(() => store.size === 2);
  expect(store.values().map(({ metadata }) => metadata.name)).toEqual(["a", "b"]);
});

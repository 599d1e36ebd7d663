import { createServer, type Server } from "node:https";
import type { ServerResponse } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createKubeHttp, type KubeHttp, type KubeRequest } from "../../operator/runtime/kube-http.ts";
import { makeCertificate } from "../stack/servicebus/admin/certificate.ts";
import type { Exchange } from "./exchange.ts";
import { only } from "./fault.ts";
import { type FaultProxy, startFaultProxy } from "./fault-proxy.ts";
import {
  conflicts,
  duplicatedEvents,
  expiredWatches,
  halfOpenStall,
  lostAnswers,
  outage,
  resetMidFrame,
  serverErrors,
  slowReads,
  throttled,
  truncatedEvents,
} from "./faults.ts";

/** The proxy before a server that tells what it was asked, and whose watches the test feeds. */

let server: Server;
let proxy: FaultProxy;
let http: KubeHttp;
let asked: string[];
let passed: Exchange[];
let watches: ServerResponse[];

let certificate: { cert: string; privateKey: string };
beforeAll(async () => {
  certificate = await makeCertificate(Date.now());
});

beforeEach(async () => {
  asked = [];
  passed = [];
  watches = [];
  server = createServer({ cert: certificate.cert, key: certificate.privateKey }, (request, response) => {
    request.resume().once("end", () => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization ?? "-"}`);
      if (request.url?.includes("watch=true")) {
        response.writeHead(200).flushHeaders();
        watches.push(response);
      } else {
        response.end(JSON.stringify({ answer: request.url }));
      }
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  proxy = await startFaultProxy({
    upstream: {
      server: new URL(`https://127.0.0.1:${port}`),
      tls: { ca: certificate.cert },
      authorization: () => Promise.resolve("Bearer mine"),
    },
    onPassed: (exchange) => passed.push(exchange),
  });
  http = createKubeHttp(proxy.access, "tester");
});

afterEach(async () => {
  http.close();
  await proxy.close();
  server.closeAllConnections();
  server.close();
  await once(server, "close");
});

const read: KubeRequest = { method: "GET", path: "/api/v1/pods" };
const write: KubeRequest = { method: "PATCH", path: "/api/v1/pods/a", body: { a: 1 } };
const always = { share: 1, random: () => 0 };

/** A watch and what has come of it; `end` tells how it ended. */
async function aWatch() {
  const before = watches.length;
  const { status, body } = await http.stream({ ...read, query: { watch: true } });
  let text = "";
  let wake = () => {};
  const end = (async () => {
    try {
      for await (const chunk of body) {
        text += chunk.toString();
        wake();
      }
      return "closed";
    } catch {
      return "broken";
    }
  })();
  return {
    status,
    end,
    send: (line: string) => watches[before]?.write(line),
    async until(isSo: (text: string) => boolean): Promise<string> {
      while (!isSo(text)) await new Promise<void>((resolve) => (wake = resolve));
      return text;
    },
  };
}

describe("without a fault", () => {
  it("passes requests with their token, and answers as they are", async () => {
    const answer = await http.request({ ...read, query: { limit: 5 } });
    expect(answer).toMatchObject({ status: 200, body: '{"answer":"/api/v1/pods?limit=5"}' });
    expect(asked).toEqual(["GET /api/v1/pods?limit=5 Bearer mine"]);
    expect(passed).toMatchObject([{ method: "GET", path: "/api/v1/pods", isWatch: false, client: "tester" }]);
  });

  it("passes a watch event by event, to its end", async () => {
    const watch = await aWatch();
    watch.send('{"a":1}\n{"b":');
    await watch.until((text) => text === '{"a":1}\n');
    watch.send("2}\n");
    await watch.until((text) => text === '{"a":1}\n{"b":2}\n');
    watches[0]?.end();
    expect(await watch.end).toBe("closed");
  });

  it("ends the server's watch when the client goes", async () => {
    const stop = new AbortController();
    const { body } = await http.stream({ ...read, query: { watch: true }, signal: stop.signal });
    const reading = (async () => {
      for await (const _ of body);
    })();
    stop.abort();
    await expect(reading).rejects.toThrow();
    if (!watches[0]?.destroyed) await once(watches[0]!, "close");
  });
});

describe("the fault", () => {
  it.each([
    ["429", throttled({ retryAfterSeconds: 3 }), 429, "3"],
    ["500", serverErrors(always), 500, undefined],
    ["409", conflicts(always), 409, undefined],
  ])("%s answers in the server's place until it is lifted", async (_name, fault, status, retryAfter) => {
    const lift = await proxy.inject(fault);
    const answer = await http.request(write);
    expect(answer.status).toBe(status);
    expect(answer.headers["retry-after"]).toBe(retryAfter);
    expect(JSON.parse(answer.body)).toMatchObject({ kind: "Status", code: status });
    expect(asked).toEqual([]);
    expect(proxy.strikes(fault.name)).toBe(1);
    await lift();
    expect((await http.request(write)).status).toBe(200);
  });

  it("reset breaks bodies and watches in the middle", async () => {
    const watch = await aWatch();
    await proxy.inject(resetMidFrame(always));
    await expect(http.request(read)).rejects.toThrow();
    watch.send('{"a":1}\n');
    expect(await watch.end).toBe("broken");
    expect(await watch.until(() => true)).toBe('{"a"');
  });

  it("half-open stall keeps all connections and brings nothing; watches stay dead when it is lifted", async () => {
    const watch = await aWatch();
    const lift = await proxy.inject(halfOpenStall());
    watch.send('{"a":1}\n');
    const stalled = http.request(read).catch((error: unknown) => error);
    await until(() => proxy.strikes("half-open stall") === 2);
    await lift();
    expect(await stalled).toBeInstanceOf(Error);
    expect(asked).toHaveLength(1);
    expect((await http.request(read)).status).toBe(200);
    expect(await watch.until(() => true)).toBe("");
  });

  it("410 ends open watches and refuses new ones", async () => {
    const watch = await aWatch();
    await proxy.inject(expiredWatches());
    watch.send('{"a":1}\n');
    expect(await watch.end).toBe("closed");
    expect(JSON.parse(await watch.until(() => true))).toMatchObject({ type: "ERROR", object: { code: 410 } });
    expect((await aWatch()).status).toBe(410);
    expect((await http.request(read)).status).toBe(200);
  });

  it("lost answers lets the server do what it was asked", async () => {
    await proxy.inject(lostAnswers(always));
    await expect(http.request(write)).rejects.toThrow();
    expect(asked).toEqual(["PATCH /api/v1/pods/a Bearer mine"]);
    expect((await http.request(read)).status).toBe(200);
  });

  it("truncated events cuts a line and goes on", async () => {
    const watch = await aWatch();
    const lift = await proxy.inject(truncatedEvents(always));
    watch.send('{"a":1}\n');
    await watch.until((text) => text === '{"a"\n');
    await lift();
    watch.send('{"b":2}\n');
    await watch.until((text) => text === '{"a"\n{"b":2}\n');
  });

  it("duplicated events repeats events, older ones too", async () => {
    const watch = await aWatch();
    await proxy.inject(duplicatedEvents({ random: () => 0 }));
    watch.send("1\n2\n");
    await watch.until((text) => text === "1\n1\n2\n1\n2\n");
  });

  it("slow reads brings all in the end, at once when it is lifted", async () => {
    const lift = await proxy.inject(slowReads({ bytesPerSecond: 20 }));
    const answer = http.request(read);
    await until(() => proxy.strikes("slow reads") === 1);
    await lift();
    expect((await answer).body).toBe('{"answer":"/api/v1/pods"}');
  });

  it("outage refuses connections, and is over when it is lifted", async () => {
    const watch = await aWatch();
    const lift = await proxy.inject(outage());
    expect(await watch.end).toBe("broken");
    await expect(http.request(read)).rejects.toThrow("ECONNREFUSED");
    await lift();
    expect((await http.request(read)).status).toBe(200);
    expect(proxy.strikes("total outage")).toBeGreaterThan(0);
  });

  it("may strike some only", async () => {
    await proxy.inject(only(throttled({ retryAfterSeconds: 1 }), ({ client }) => client === "another"));
    expect((await http.request(read)).status).toBe(200);
  });
});

/** Lets the event loop turn until it is so; what is waited for is on its way on local sockets. */
async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise<void>((resolve) => setImmediate(resolve));
}

import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createApiClient, type WriteGate } from "./api-client.ts";
import { ApiStatusError, LeadershipLostError } from "./errors.ts";
import { createKubeHttp, type KubeHttp } from "./kube-http.ts";

interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: unknown;
}

let server: Server;
let http: KubeHttp;
let asked: Asked[];
let answer: { status: number; body: string; headers?: Record<string, string> };

beforeEach(async () => {
  asked = [];
  answer = { status: 200, body: "{}" };
  server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const { method = "", url = "", headers } = request;
      asked.push({ method, url, headers, body: body === "" ? undefined : JSON.parse(body) });
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  http = createKubeHttp(
    {
      server: new URL(`http://127.0.0.1:${port}`),
      tls: {},
      authorization: () => Promise.resolve("Bearer secret"),
    },
    "test",
  );
});

afterEach(async () => {
  http.close();
  await new Promise((resolve) => server.close(resolve));
});

function aClient(gate: WriteGate = () => Promise.resolve(undefined)) {
  const counted: string[] = [];
  const client = createApiClient({
    http,
    gate,
    observer: { requested: ({ verb, code, resource }) => counted.push(`${verb} ${resource} ${code}`) },
  });
  return { client, counted };
}

const jobs = { group: "batch", version: "v1", plural: "jobs", namespace: "n" };
const pods = { group: "", version: "v1", plural: "pods", namespace: "n" };

describe("the API client", () => {
  it("asks for the right paths, signed", async () => {
    const { client, counted } = aClient();
    await client.get(pods, "a");
    await client.patchStatus(jobs, "b", { status: {} });
    await client.delete(jobs, "c", { uid: "u" });
    await client.updateStatus(jobs, "d", { status: {} }, { metadataOnly: true });
    expect(asked[3]?.headers.accept).toContain("as=PartialObjectMetadata;");
    expect(asked.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /api/v1/namespaces/n/pods/a",
      "PATCH /apis/batch/v1/namespaces/n/jobs/b/status",
      "DELETE /apis/batch/v1/namespaces/n/jobs/c",
      "PUT /apis/batch/v1/namespaces/n/jobs/d/status",
    ]);
    expect(asked[0]?.headers.authorization).toBe("Bearer secret");
    expect(asked[1]?.headers["content-type"]).toBe("application/merge-patch+json");
    expect(asked[2]?.body).toMatchObject({ preconditions: { uid: "u" }, propagationPolicy: "Background" });
    expect(asked[3]?.headers["content-type"]).toBe("application/json");
    expect(counted).toEqual([
      "get pods 200",
      "patch jobs/status 200",
      "delete jobs 200",
      "update jobs/status 200",
    ]);
  });

  it("gives what the server says about an error", async () => {
    const { client } = aClient();
    answer = {
      status: 429,
      headers: { "retry-after": "3" },
      body: JSON.stringify({ kind: "Status", reason: "TooManyRequests", message: "slow down" }),
    };
    const error = await client.get(pods, "a").catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ApiStatusError);
    expect(error).toMatchObject({ status: 429, reason: "TooManyRequests", retryAfterMs: 3000 });
  });

  it.each([
    ["3600", 60_000],
    ["Wed, 21 Oct 2026 07:28:00 GMT", undefined],
    ["-1", undefined],
  ])("takes a Retry-After of %s for no more than a minute, if for anything", async (value, retryAfterMs) => {
    const { client } = aClient();
    answer = { status: 429, headers: { "retry-after": value }, body: "{}" };
    await expect(client.get(pods, "a")).rejects.toMatchObject({ status: 429, retryAfterMs });
  });

  it("survives an error page that is no JSON", async () => {
    const { client } = aClient();
    answer = { status: 502, body: "<html>bad gateway</html>" };
    await expect(client.get(pods, "a")).rejects.toMatchObject({ status: 502 });
  });

  it("counts requests that get no answer", async () => {
    const { client, counted } = aClient();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await expect(client.get(pods, "a")).rejects.toThrow();
    expect(counted).toEqual(["get pods <error>"]);
    server.listen(0);
  });

  it("writes nothing when the gate is shut, and reads all the same", async () => {
    const { client } = aClient(() => Promise.reject(new LeadershipLostError("deposed")));
    await expect(client.create(jobs, {})).rejects.toThrow(LeadershipLostError);
    await expect(client.patchStatus(jobs, "a", {})).rejects.toThrow(LeadershipLostError);
    await expect(client.delete(jobs, "a")).rejects.toThrow(LeadershipLostError);
    await client.get(jobs, "a");
    expect(asked.map(({ method }) => method)).toEqual(["GET"]);
  });

  it("breaks off a write when its signal says so", async () => {
    const { client } = aClient(() => Promise.resolve({ signal: AbortSignal.abort(), assertValid() {} }));
    await expect(client.create(jobs, {})).rejects.toThrow();
    expect(asked).toEqual([]);
  });
});

import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer, type Server } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import selfsigned from "selfsigned";
import { afterAll, beforeAll, expect, it } from "vitest";
import { annotateProgress } from "./pod-annotation.ts";

let server: Server;
let dir: string;
let status = 200;
const requests: {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage["headers"];
  body: string;
}[] = [];

async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { method, url, headers } = request;
  requests.push({ method, url, headers, body: await text(request) });
  response.writeHead(status).end(status === 200 ? "{}" : "no such pod");
}

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "opal-account-"));
  const pems = await selfsigned.generate([{ name: "commonName", value: "127.0.0.1" }], {
    extensions: [{ name: "subjectAltName", altNames: [{ type: 7, ip: "127.0.0.1" }] }],
  });
  await writeFile(join(dir, "ca.crt"), pems.cert);
  server = createServer({ key: pems.private, cert: pems.cert }, (request, response) => {
    void answer(request, response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
});
afterAll(async () => {
  server.close();
  await rm(dir, { recursive: true, force: true });
});

const progress = {
  v: 1,
  done: "0",
  failed: "",
  stages: { segment: 1, place: 1, upscale: 1 },
  gpuSeconds: 2,
} as const;

function access() {
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    apiServer: { host: "127.0.0.1", port },
    serviceAccountDir: dir,
    pod: { name: "spring-1-0", namespace: "shop" },
  };
}

it("patches the annotation of its own pod, with the token of the moment", async () => {
  await writeFile(join(dir, "token"), "first\n");
  await annotateProgress(access(), progress);
  await writeFile(join(dir, "token"), "second\n");
  await annotateProgress(access(), progress);
  expect(requests.map(({ headers }) => headers.authorization)).toEqual(["Bearer first", "Bearer second"]);
  expect(requests[0]).toMatchObject({ method: "PATCH", url: "/api/v1/namespaces/shop/pods/spring-1-0" });
  expect(requests[0]?.headers["content-type"]).toBe("application/merge-patch+json");
  const body = JSON.parse(requests[0]?.body ?? "") as { metadata: { annotations: Record<string, string> } };
  expect(JSON.parse(body.metadata.annotations["opal.dev/progress"] ?? "")).toEqual(progress);
});

it("tells what the API server answered", async () => {
  status = 404;
  await expect(annotateProgress(access(), progress)).rejects.toThrow("answered 404: no such pod");
});

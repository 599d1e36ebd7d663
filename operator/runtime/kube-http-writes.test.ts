/** When a request leaves this machine, and that it does not any more once it must not. */
import { once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import { createServer as createHttpsServer } from "node:https";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeAll, describe, expect, it } from "vitest";
import { makeCertificate } from "../../hack/stack/servicebus/admin/certificate.ts";
import { LeadershipLostError } from "./errors.ts";
import { createKubeHttp, type KubeHttp, type KubeRequest } from "./kube-http.ts";

let certificate: { cert: string; privateKey: string };
beforeAll(async () => {
  certificate = await makeCertificate(Date.now());
});

let server: Server;
let http: KubeHttp;
afterEach(async () => {
  http.close();
  server.close();
  await once(server, "close");
});

/** An API server whose connections a test may hold up before a byte of theirs is read. */
async function anApiServer(protocol: "http:" | "https:") {
  const asked: string[] = [];
  const sockets: Socket[] = [];
  const held: (() => void)[] = [];
  const opened = protocol === "http:" ? "connection" : "secureConnection";
  const web =
    protocol === "http:"
      ? createHttpServer()
      : createHttpsServer({ cert: certificate.cert, key: certificate.privateKey });
  let answers = true;
  web.on("request", ({ method = "" }, response: { end(body: string): void }) => {
    asked.push(method);
    if (answers) response.end("{}");
  });
  web.on(opened, (socket: Socket) => sockets.push(socket));
  let holds = false;
  server = createServer((socket) => {
    const open = () => web.emit("connection", socket);
    if (holds) held.push(open);
    else open();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  http = createKubeHttp(
    {
      server: new URL(`${protocol}//127.0.0.1:${port}`),
      tls: { ca: certificate.cert },
      authorization: () => Promise.resolve(undefined),
    },
    "test",
  );
  return {
    asked,
    sockets,
    held,
    holdConnections: () => (holds = true),
    releaseConnections: () => {
      holds = false;
      for (const open of held.splice(0)) open();
    },
    fallSilent: () => (answers = false),
  };
}

const write: KubeRequest = { method: "POST", path: "/", body: { spec: {} } };

describe.each(["http:", "https:"] as const)("over %s", (protocol) => {
  it("sends on one kept connection, one request after another", async () => {
    const { asked, sockets } = await anApiServer(protocol);
    for (let n = 0; n < 3; n++) expect((await http.request(write)).body).toBe("{}");
    expect(asked).toHaveLength(3);
    expect(sockets).toHaveLength(1);
  });

  it("asks before each, and what is refused is not sent and rejects with what was thrown", async () => {
    const { asked } = await anApiServer(protocol);
    await http.request({ ...write, beforeSending() {} });
    const refused = new LeadershipLostError("deposed");
    const beforeSending = () => {
      throw refused;
    };
    await expect(http.request({ ...write, beforeSending })).rejects.toBe(refused);
    expect((await http.request({ method: "GET", path: "/" })).status).toBe(200);
    expect(asked).toEqual(["POST", "GET"]);
  });

  it("resets the connection of a write that is broken off, so that nothing of it arrives later", async () => {
    const { asked, sockets, fallSilent } = await anApiServer(protocol);
    fallSilent();
    const stop = new AbortController();
    const asking = http.request({ ...write, signal: stop.signal });
    await expect.poll(() => asked).toEqual(["POST"]);
    const [socket] = sockets;
    const ended = new Promise((resolve) => socket?.once("error", resolve));
    stop.abort(new Error("enough"));
    await expect(asking).rejects.toThrow("enough");
    expect(await ended).toMatchObject({ code: "ECONNRESET" });
  });

  it("tells when nobody listens", async () => {
    await anApiServer(protocol);
    server.close();
    await expect(http.request(write)).rejects.toThrow(/no answer from the API server: .*ECONNREFUSED/);
    server.listen(0);
  });
});

it("does not send a write that became forbidden while its connection was being made", async () => {
  const { asked, held, holdConnections, releaseConnections } = await anApiServer("https:");
  holdConnections();
  let isAllowed = true;
  const asking = http.request({
    ...write,
    beforeSending() {
      if (!isAllowed) throw new LeadershipLostError("deposed");
    },
  });
  await expect.poll(() => held).toHaveLength(1);
  isAllowed = false;
  releaseConnections();
  await expect(asking).rejects.toThrow("deposed");
  expect((await http.request({ method: "GET", path: "/" })).status).toBe(200);
  expect(asked).toEqual(["GET"]);
});

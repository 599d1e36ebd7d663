/**
 * The administration API of Service Bus (ATOM XML over HTTPS), as far as it concerns queues: what
 * `ServiceBusAdministrationClient` and KEDA's scaler call. Loopback only, like the AMQP side.
 */
import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { createServer } from "node:https";
import type { Broker } from "../broker.ts";
import { QueueName } from "../queue/settings.ts";
import { isValidSasToken } from "../sas-token.ts";
import type { Certificate } from "./certificate.ts";
import {
  parseQueueDescription,
  renderEntry,
  renderError,
  renderFeed,
  type Rendering,
} from "./queue-description.ts";

const LOOPBACK = "127.0.0.1";
const MAX_BODY_BYTES = 64 * 1024;
const MAX_PAGE = 100;
const LIST_PATH = "$resources/queues";

export interface AdminServerOptions {
  readonly broker: Broker;
  readonly key: string;
  readonly certificate: Certificate;
  /** 0: any free port. */
  readonly port: number;
}

export interface AdminServer {
  readonly port: number;
  close(): Promise<void>;
}

interface Reply {
  readonly status: number;
  readonly xml: string;
}

/** @throws when the port is taken */
export async function startAdminServer(options: AdminServerOptions): Promise<AdminServer> {
  const { certificate, port } = options;
  const server = createServer(
    { cert: certificate.cert, key: certificate.privateKey },
    (request, response) => {
      void respond(options, request, response);
    },
  );
  server.listen(port, LOOPBACK);
  await once(server, "listening");
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : port,
    async close() {
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function respond(
  options: AdminServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const reply = await replyTo(options, request).catch((error: unknown): Reply => {
    return fault(400, error instanceof Error ? error.message : String(error));
  });
  // Only what is in the journal has happened.
  options.broker.afterCommit(() => {
    response.writeHead(reply.status, { "content-type": "application/atom+xml;type=entry;charset=utf-8" });
    response.end(reply.xml);
  });
}

async function replyTo({ broker, key }: AdminServerOptions, request: IncomingMessage): Promise<Reply> {
  if (!isValidSasToken(request.headers.authorization, key, broker.now())) {
    return fault(401, "The shared access signature is missing, wrong or expired.");
  }
  const baseUrl = `https://${request.headers.host ?? LOOPBACK}`;
  const url = new URL(request.url ?? "/", baseUrl);
  const path = decodeURIComponent(url.pathname.slice(1));
  const rendering = { baseUrl, now: broker.now() };
  if (path.toLowerCase() === LIST_PATH) return list(broker, url.searchParams, rendering);
  switch (request.method ?? "") {
    case "GET":
      return show(broker, path, rendering);
    case "PUT":
      return put(broker, path, rendering, request);
    case "DELETE":
      return broker.deleteQueue(path) ? { status: 200, xml: "" } : noQueue(path);
    default:
      return fault(405, "This emulator knows GET, PUT and DELETE.");
  }
}

function list(broker: Broker, query: URLSearchParams, rendering: Rendering): Reply {
  const skip = Number(query.get("$skip") ?? 0);
  const top = Math.min(Number(query.get("$top") ?? MAX_PAGE), MAX_PAGE);
  return { status: 200, xml: renderFeed([...broker.queues()].slice(skip, skip + top), rendering) };
}

function show(broker: Broker, path: string, rendering: Rendering): Reply {
  const source = broker.source(path);
  return source === undefined ? noQueue(path) : { status: 200, xml: renderEntry(source.queue, rendering) };
}

async function put(
  broker: Broker,
  path: string,
  rendering: Rendering,
  request: IncomingMessage,
): Promise<Reply> {
  const name = QueueName.parse(path);
  const isUpdate = request.headers["if-match"] === "*";
  const settings = parseQueueDescription(await readBody(request));
  const isKnown = broker.source(name) !== undefined;
  if (isKnown && !isUpdate) return fault(409, `The messaging entity '${name}' exists already.`);
  if (!isKnown && isUpdate) return noQueue(name);
  broker.putQueue(name, settings);
  return { ...show(broker, name, rendering), status: isUpdate ? 200 : 201 };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += chunk.length;
    if (bytes > MAX_BODY_BYTES) throw new Error("the request is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function noQueue(path: string): Reply {
  return fault(404, `The messaging entity '${path}' could not be found.`);
}

function fault(status: number, detail: string): Reply {
  return { status, xml: renderError(status, detail) };
}

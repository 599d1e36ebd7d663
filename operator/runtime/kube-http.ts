import * as http from "node:http";
import * as https from "node:https";
import { urlToHttpOptions } from "node:url";
import type { ClusterAccess } from "./cluster-access.ts";
import { type Connections, createConnections } from "./connections.ts";
import { NoAnswerError } from "./errors.ts";

/**
 * HTTP to one API server: signed requests on kept-alive sockets, and streams for watches. Both reject with
 * {NoAnswerError} when the connection fails; aborting the request's signal rejects with its reason, and what has not
 * left this machine by then never will.
 */
export interface KubeHttp {
  request(request: KubeRequest): Promise<KubeResponse>;
  /** The answer's body as it comes. Aborting `signal` ends it. */
  stream(request: KubeRequest): Promise<{ status: number; headers: Headers; body: AsyncIterable<Buffer> }>;
  close(): void;
}

export interface KubeRequest {
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>> | undefined;
  readonly body?: unknown;
  readonly contentType?: string | undefined;
  readonly accept?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  /**
   * Called at the last moment, when there is a connection: the next thing is that the bytes go to the kernel. What it
   * throws is what the request rejects with, and nothing has been sent.
   */
  readonly beforeSending?: (() => void) | undefined;
  /** For `request`: to the end of the body. For `stream`: to the headers. */
  readonly timeoutMs?: number | undefined;
}

export interface KubeResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

type Headers = http.IncomingHttpHeaders;

const DEFAULT_TIMEOUT_MS = 30_000;
/** Far more than workers can keep busy, so that renewing a lease never waits for their requests; watches have their own. */
const MAX_SOCKETS = 128;

export function createKubeHttp(access: ClusterAccess, userAgent: string): KubeHttp {
  const connections = createConnections(access, MAX_SOCKETS);
  const streams = createConnections(access);
  const startRequest = access.server.protocol === "https:" ? https.request : http.request;
  const { protocol, hostname, port } = urlToHttpOptions(access.server);

  async function send(request: KubeRequest, through: Connections, signal: AbortSignal) {
    const authorization = await access.authorization();
    const body = request.body === undefined ? undefined : JSON.stringify(request.body);
    const headers: http.OutgoingHttpHeaders = {
      accept: request.accept ?? "application/json",
      "user-agent": userAgent,
      ...(authorization !== undefined && { authorization }),
      ...(body !== undefined && {
        "content-type": request.contentType ?? "application/json",
        "content-length": Buffer.byteLength(body),
      }),
    };
    const { method, query } = request;
    const path = `${joinPaths(access.server.pathname, request.path)}${queryText(query)}`;
    signal.throwIfAborted();
    return new Promise<http.IncomingMessage>((resolve, reject) => {
      const outgoing = startRequest({
        protocol,
        hostname,
        port,
        path,
        method,
        headers,
        agent: through.agent,
      });
      const breakOff = () => {
        if (outgoing.socket) through.reset(outgoing.socket);
        outgoing.destroy(new Error("broken off"));
      };
      signal.addEventListener("abort", breakOff);
      outgoing.once("close", () => signal.removeEventListener("abort", breakOff));
      outgoing.on("response", resolve);
      outgoing.on("error", reject);
      outgoing.once("socket", (socket) =>
        through.whenOpen(socket, () => {
          try {
            request.beforeSending?.();
            outgoing.end(body);
          } catch (error) {
            reject(new NotSent(error));
            outgoing.destroy();
          }
        }),
      );
    });
  }

  return {
    async request(request) {
      const deadline = startDeadline(request);
      try {
        const incoming = await send(request, connections, deadline.signal);
        const chunks: Buffer[] = [];
        for await (const chunk of incoming) chunks.push(chunk as Buffer);
        if (!incoming.complete) throw new Error("it was cut off");
        return {
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          body: Buffer.concat(chunks).toString("utf8"),
        };
      } catch (error) {
        // Where one connection has gone silent the idle ones have too; the next tries must not wait for each.
        if (deadline.lateness()) connections.closeIdle();
        throw noAnswer(error, request, deadline);
      } finally {
        deadline.end();
      }
    },
    async stream(request) {
      const deadline = startDeadline(request);
      try {
        const incoming = await send(request, streams, deadline.signal);
        // Its caller may break off as long as the body comes.
        incoming.once("close", deadline.end);
        return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming };
      } catch (error) {
        deadline.end();
        throw noAnswer(error, request, deadline);
      } finally {
        deadline.met();
      }
    },
    close() {
      connections.agent.destroy();
      streams.agent.destroy();
    },
  };
}

interface Deadline {
  /** Aborted when the request takes too long or its caller breaks off. */
  readonly signal: AbortSignal;
  /** Undefined until it takes too long. */
  readonly lateness: () => Error | undefined;
  /** It cannot be late any more. */
  readonly met: () => void;
  /** It listens to its caller no more: thousands of timers and listeners would outlive their requests. */
  readonly end: () => void;
}

function startDeadline({ signal, timeoutMs = DEFAULT_TIMEOUT_MS }: KubeRequest): Deadline {
  const breaking = new AbortController();
  let late: Error | undefined;
  const timer = setTimeout(() => {
    late = new Error(`none within ${timeoutMs} ms`);
    breaking.abort(late);
  }, timeoutMs);
  const breakOff = () => breaking.abort(signal?.reason);
  // Not AbortSignal.any: what it makes stays until the garbage is collected, and is costly to collect.
  if (signal?.aborted) breakOff();
  else signal?.addEventListener("abort", breakOff);
  return {
    signal: breaking.signal,
    lateness: () => late,
    met: () => clearTimeout(timer),
    end() {
      clearTimeout(timer);
      signal?.removeEventListener("abort", breakOff);
    },
  };
}

/** Carries what `beforeSending` threw. */
class NotSent extends Error {
  constructor(cause: unknown) {
    super("not sent", { cause });
  }
}

function noAnswer(
  error: unknown,
  { method, path, signal }: KubeRequest,
  { lateness }: Pick<Deadline, "lateness">,
): unknown {
  if (error instanceof NotSent) return error.cause;
  if (signal?.aborted) return signal.reason;
  const cause: unknown = lateness() ?? error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new NoAnswerError(`${method} ${path}: no answer from the API server: ${why}`, { cause });
}

function queryText(query: KubeRequest["query"]): string {
  if (!query) return "";
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? "" : `?${given.toString()}`;
}

function joinPaths(base: string, path: string): string {
  return base === "/" ? path : `${base.replace(/\/$/, "")}${path}`;
}

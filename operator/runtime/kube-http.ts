import * as http from "node:http";
import * as https from "node:https";
import type { ClusterAccess } from "./cluster-access.ts";
import { NoAnswerError } from "./errors.ts";

/**
 * HTTP to one API server: signed requests on kept-alive sockets, and streams for watches. Both reject with
 * {NoAnswerError} when the connection fails; aborting the request's signal rejects with its reason.
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
  const isTls = access.server.protocol === "https:";
  const agentOptions = { keepAlive: true, keepAliveMsecs: 15_000, noDelay: true };
  const agent = isTls
    ? new https.Agent({ ...agentOptions, ...access.tls, maxSockets: MAX_SOCKETS })
    : new http.Agent({ ...agentOptions, maxSockets: MAX_SOCKETS });
  const streamAgent = isTls
    ? new https.Agent({ ...agentOptions, ...access.tls })
    : new http.Agent(agentOptions);

  async function send(request: KubeRequest, through: http.Agent, signal: AbortSignal) {
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
    const url = new URL(joinPaths(access.server.pathname, request.path), access.server);
    for (const [name, value] of Object.entries(request.query ?? {})) {
      if (value !== undefined) url.searchParams.set(name, String(value));
    }
    return new Promise<http.IncomingMessage>((resolve, reject) => {
      const options = { method: request.method, headers, agent: through, signal };
      const outgoing = isTls ? https.request(url, options, resolve) : http.request(url, options, resolve);
      outgoing.on("error", reject);
      outgoing.end(body);
    });
  }

  return {
    async request(request) {
      const deadline = startDeadline(request);
      try {
        const incoming = await send(request, agent, deadline.signal);
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
        if (deadline.late.aborted) closeIdle(agent);
        throw noAnswer(error, request);
      } finally {
        deadline.clear();
      }
    },
    async stream(request) {
      const deadline = startDeadline(request);
      try {
        const incoming = await send(request, streamAgent, deadline.signal);
        return { status: incoming.statusCode ?? 0, headers: incoming.headers, body: incoming };
      } catch (error) {
        throw noAnswer(error, request);
      } finally {
        deadline.clear();
      }
    },
    close() {
      agent.destroy();
      streamAgent.destroy();
    },
  };
}

/** Ends when the request takes too long or its caller breaks off. Thousands of timers would outlive their requests. */
function startDeadline({ signal, timeoutMs = DEFAULT_TIMEOUT_MS }: KubeRequest) {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new Error(`none within ${timeoutMs} ms`)), timeoutMs);
  return {
    signal: signal ? AbortSignal.any([signal, late.signal]) : late.signal,
    late: late.signal,
    clear: () => clearTimeout(timer),
  };
}

function noAnswer(error: unknown, { method, path, signal }: KubeRequest): unknown {
  if (signal?.aborted) return signal.reason;
  // An aborted request tells in its cause why it was aborted.
  const cause = error instanceof Error && error.name === "AbortError" ? error.cause : error;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new NoAnswerError(`${method} ${path}: no answer from the API server: ${why}`, { cause: error });
}

function closeIdle(agent: http.Agent): void {
  for (const sockets of Object.values(agent.freeSockets)) {
    for (const socket of sockets ?? []) socket.destroy();
  }
}

function joinPaths(base: string, path: string): string {
  return base === "/" ? path : `${base.replace(/\/$/, "")}${path}`;
}

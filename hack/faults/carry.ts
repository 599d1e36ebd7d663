import { type Agent, request as askServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import { once } from "node:events";
import { buffer } from "node:stream/consumers";
import { setTimeout as sleep } from "node:timers/promises";
import type { ActiveFault, ActiveFaults } from "./active-faults.ts";
import type { Exchange } from "./exchange.ts";
import type { AnswerFate, RequestFate } from "./fault.ts";
import { linesOf, wholeOf } from "./frames.ts";

/** What is needed to carry one request to the server and its answer back. */
export interface Carriage {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly agent: Agent;
  readonly upstream: URL;
  readonly faults: ActiveFaults;
  readonly onPassed: (exchange: Exchange) => void;
  /** Resets the client's connection. */
  readonly reset: () => void;
}

/** Carries a request to the server and its answer back, as far as the faults let it. Never rejects. */
export async function carry(exchange: Exchange, carriage: Carriage): Promise<void> {
  const { request, response, faults, reset } = carriage;
  const gone = new AbortController();
  response.once("close", () => gone.abort());
  const loaded = { ...carriage, gone: gone.signal };
  try {
    const body = await buffer(request);
    const struck = faults.ofRequest(exchange);
    if (struck) return await suffer(exchange, struck, { ...loaded, body });
    await relay(exchange, await pass(exchange, { ...loaded, body }), loaded);
  } catch {
    // The client has gone, or the server has: its clients shall notice as they would without a proxy.
    if (!response.writableFinished) reset();
  }
}

/** `gone` is aborted when the answer is over or the client has gone. */
type Answering = Carriage & { readonly gone: AbortSignal };
type Asking = Answering & { readonly body: Buffer };

async function suffer(
  exchange: Exchange,
  { fate, over }: ActiveFault & { readonly fate: RequestFate },
  carriage: Asking,
): Promise<void> {
  const { response, reset } = carriage;
  switch (fate.do) {
    case "reply":
      return reply(response, fate);
    case "swallow":
      over.addEventListener("abort", reset, { once: true });
      return;
    case "lose-answer": {
      const answer = await pass(exchange, carriage);
      await buffer(answer);
      fate.carriedOut?.();
      return reset();
    }
    default:
      return fate satisfies never;
  }
}

function reply(response: ServerResponse, fate: RequestFate & { do: "reply" }): void {
  const { status: code, reason, retryAfterSeconds } = fate;
  const message = `injected: ${reason}`;
  response
    .writeHead(code, {
      "content-type": "application/json",
      ...(retryAfterSeconds !== undefined && { "retry-after": String(retryAfterSeconds) }),
    })
    .end(JSON.stringify({ kind: "Status", apiVersion: "v1", status: "Failure", code, reason, message }));
}

/** Asks the server. A client that goes away takes its request with it. */
async function pass(exchange: Exchange, { request, gone, body, ...to }: Asking): Promise<IncomingMessage> {
  to.onPassed(exchange);
  const { host: _, connection: __, ...headers } = request.headers;
  const asked = askServer(new URL(request.url ?? "/", to.upstream), {
    method: request.method,
    headers,
    agent: to.agent,
  });
  gone.addEventListener("abort", () => asked.destroy(), { once: true });
  // Told by the answer's stream, once there is one.
  asked.on("error", () => {});
  asked.end(body);
  const [answer] = (await once(asked, "response")) as [IncomingMessage];
  return answer;
}

async function relay(exchange: Exchange, answer: IncomingMessage, carriage: Answering): Promise<void> {
  const { response, faults, gone } = carriage;
  const { connection: _, "transfer-encoding": __, ...headers } = answer.headers;
  if (exchange.isWatch) delete headers["content-length"];
  response.writeHead(answer.statusCode ?? 502, headers).flushHeaders();
  const frames = exchange.isWatch ? linesOf(answer) : wholeOf(answer);
  for await (const bytes of frames) {
    const struck = faults.ofAnswer(exchange, bytes);
    if (!struck) await forward(response, bytes, gone);
    else if ((await deliver(struck, carriage)) === "over") return;
  }
  response.end();
}

async function deliver(
  { fate, over }: ActiveFault & { readonly fate: AnswerFate },
  { response, reset, gone }: Answering,
): Promise<"over" | "goes on"> {
  for (const piece of fate.pieces) {
    await send(response, piece, gone);
    if (fate.pauseMs !== undefined && !over.aborted) await sleep(fate.pauseMs, undefined, { signal: gone });
  }
  if (fate.afterwards === "end") response.end();
  if (fate.afterwards === "reset") reset();
  return fate.afterwards === "go-on" ? "goes on" : "over";
}

/** Bytes that no fault strikes flow in bursts, as they come. */
async function forward(response: ServerResponse, bytes: Buffer, gone: AbortSignal): Promise<void> {
  gone.throwIfAborted();
  if (!response.write(bytes)) await once(response, "drain", { signal: gone });
}

/** Resolves when the bytes have left this process, so that a reset comes after them. */
function send(response: ServerResponse, bytes: Buffer, gone: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    gone.addEventListener("abort", reject, { once: true });
    response.write(bytes, (error) => {
      gone.removeEventListener("abort", reject);
      if (error) reject(error);
      else resolve();
    });
    if (gone.aborted) reject(new Error("the client has gone"));
  });
}

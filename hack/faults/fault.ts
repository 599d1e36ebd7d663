import type { Exchange } from "./exchange.ts";

/**
 * One way in which the network or the API server lets its clients down. A fault says what becomes of each request
 * and of the bytes of each answer; undefined leaves them alone. The proxy does it; see faults.ts for those that exist.
 */
export interface Fault {
  readonly name: string;
  /** Nobody listens any more and all connections are reset. */
  readonly refusesConnections?: boolean;
  request?(exchange: Exchange): RequestFate | undefined;
  /** @param bytes one event of a watch with its newline, or the whole body of any other answer */
  answer?(exchange: Exchange, bytes: Buffer): AnswerFate | undefined;
}

export type RequestFate =
  /** Answers in the server's place. */
  | {
      readonly do: "reply";
      readonly status: number;
      readonly reason: string;
      readonly retryAfterSeconds?: number;
    }
  /** The request gets nowhere; its connection is reset when the fault ends: the other end knows it no more. */
  | { readonly do: "swallow" }
  /** The server carries it out; its answer is lost with the connection. */
  | { readonly do: "lose-answer"; readonly carriedOut?: () => void };

export interface AnswerFate {
  /** What is sent instead, one after another. */
  readonly pieces: readonly Buffer[];
  /** Waited after each piece. */
  readonly pauseMs?: number;
  /** `fall-silent` leaves the connection open and never sends another byte. */
  readonly afterwards: "go-on" | "end" | "reset" | "fall-silent";
}

/** The fault for some requests only. */
export function only(fault: Fault, isStruck: (exchange: Exchange) => boolean): Fault {
  return {
    ...fault,
    request: (exchange) => (isStruck(exchange) ? fault.request?.(exchange) : undefined),
    answer: (exchange, bytes) => (isStruck(exchange) ? fault.answer?.(exchange, bytes) : undefined),
  };
}

import type { Exchange } from "./exchange.ts";
import type { AnswerFate, Fault, RequestFate } from "./fault.ts";

/** A fault from its beginning to its end. */
export interface ActiveFault {
  readonly fault: Fault;
  /** Aborted when it is over. */
  readonly over: AbortSignal;
}

/** The faults that are at work now, and how often each has struck. */
export interface ActiveFaults {
  begin(fault: Fault): () => void;
  ofRequest(exchange: Exchange): (ActiveFault & { readonly fate: RequestFate }) | undefined;
  ofAnswer(exchange: Exchange, bytes: Buffer): (ActiveFault & { readonly fate: AnswerFate }) | undefined;
  strikes(name: string): number;
}

export function createActiveFaults(): ActiveFaults {
  const active = new Set<ActiveFault>();
  const strikes = new Map<string, number>();

  /** The fault that was begun first and has something to say. */
  function first<T>(
    fateOf: (fault: Fault) => T | undefined,
  ): (ActiveFault & { readonly fate: T }) | undefined {
    for (const one of active) {
      const fate = fateOf(one.fault);
      if (fate === undefined) continue;
      strikes.set(one.fault.name, (strikes.get(one.fault.name) ?? 0) + 1);
      return { ...one, fate };
    }
    return undefined;
  }

  return {
    begin(fault) {
      const over = new AbortController();
      const one = { fault, over: over.signal };
      active.add(one);
      return () => {
        active.delete(one);
        over.abort();
      };
    },
    ofRequest: (exchange) => first((fault) => fault.request?.(exchange)),
    ofAnswer: (exchange, bytes) => first((fault) => fault.answer?.(exchange, bytes)),
    strikes: (name) => strikes.get(name) ?? 0,
  };
}

/**
 * The faults by name. Each is one that was seen in the field: load balancers that drop idle connections, API servers
 * that restart, are overloaded or have compacted their history, answers that are lost after the deed.
 */
import type { Exchange } from "./exchange.ts";
import type { AnswerFate, Fault } from "./fault.ts";

/** Gives numbers in [0, 1). */
type Random = () => number;

const NEWLINE = Buffer.from("\n");
/** How many events back a repeated one may be. */
const REMEMBERED_EVENTS = 16;
const SLOW_PIECES_PER_SECOND = 20;

const half = (bytes: Buffer) => bytes.subarray(0, Math.max(1, bytes.length >> 1));

/** Connections are reset (RST) in the middle of an event or a body. */
export function resetMidFrame({ share, random }: { share: number; random: Random }): Fault {
  return {
    name: "reset mid-frame",
    answer: (_exchange, bytes) =>
      random() < share ? { pieces: [half(bytes)], afterwards: "reset" } : undefined,
  };
}

/** Connections stay open and carry nothing in either direction; watches stay like that when the fault is over. */
export function halfOpenStall(): Fault {
  return {
    name: "half-open stall",
    request: () => ({ do: "swallow" }),
    answer: () => ({ pieces: [], afterwards: "fall-silent" }),
  };
}

/** Watches are told that their version is too old, in the stream and as an answer. */
export function expiredWatches(): Fault {
  const gone = { kind: "Status", code: 410, reason: "Expired", message: "too old resource version" };
  const event = Buffer.from(`${JSON.stringify({ type: "ERROR", object: gone })}\n`);
  return {
    name: "410 on watch",
    request: ({ isWatch }) => (isWatch ? { do: "reply", status: 410, reason: "Expired" } : undefined),
    answer: ({ isWatch }) => (isWatch ? { pieces: [event], afterwards: "end" } : undefined),
  };
}

/** Everything but what is under way is told to come back later. */
export function throttled({ retryAfterSeconds }: { retryAfterSeconds: number }): Fault {
  return {
    name: "429 with Retry-After",
    request: () => ({ do: "reply", status: 429, reason: "TooManyRequests", retryAfterSeconds }),
  };
}

/** A share of all requests fails with 500 or 503, and a share of the watches breaks off. */
export function serverErrors({ share, random }: { share: number; random: Random }): Fault {
  return {
    name: "500/503 storm",
    request() {
      if (random() >= share) return undefined;
      return random() < 0.5
        ? { do: "reply", status: 500, reason: "InternalError" }
        : { do: "reply", status: 503, reason: "ServiceUnavailable" };
    },
    answer: ({ isWatch }) =>
      isWatch && random() < share / 10 ? { pieces: [], afterwards: "end" } : undefined,
  };
}

/** A share of the writes meets a conflict that is not there. */
export function conflicts({ share, random }: { share: number; random: Random }): Fault {
  return {
    name: `${share * 100} % conflicts`,
    request: ({ isWrite, method }) =>
      isWrite && method !== "POST" && random() < share
        ? { do: "reply", status: 409, reason: "Conflict" }
        : undefined,
  };
}

/** A share of the writes is carried out, but who asked for it is not told. */
export function lostAnswers({ share, random }: { share: number; random: Random }): Fault {
  return {
    name: "lost answers",
    request: ({ isWrite }) => (isWrite && random() < share ? { do: "lose-answer" } : undefined),
  };
}

/** A share of the watches' events loses its second half; the stream goes on as if nothing were. */
export function truncatedEvents({ share, random }: { share: number; random: Random }): Fault {
  return {
    name: "truncated events",
    answer: ({ isWatch }, bytes) =>
      isWatch && random() < share ? { pieces: [half(bytes), NEWLINE], afterwards: "go-on" } : undefined,
  };
}

/** Watches' events come twice, and older ones come again in between. */
export function duplicatedEvents({ random }: { random: Random }): Fault {
  const remembered = new WeakMap<Exchange, Buffer[]>();
  return {
    name: "duplicated events",
    answer(exchange, bytes): AnswerFate | undefined {
      if (!exchange.isWatch) return undefined;
      const earlier = remembered.get(exchange) ?? [];
      remembered.set(exchange, [...earlier, bytes].slice(-REMEMBERED_EVENTS));
      const older = earlier[Math.floor(random() * earlier.length)];
      return { pieces: older ? [bytes, older, bytes] : [bytes, bytes], afterwards: "go-on" };
    },
  };
}

/** Answers trickle. */
export function slowReads({ bytesPerSecond }: { bytesPerSecond: number }): Fault {
  const pieceBytes = Math.max(1, Math.round(bytesPerSecond / SLOW_PIECES_PER_SECOND));
  return {
    name: "slow reads",
    answer: (_exchange, bytes) => ({
      pieces: Array.from({ length: Math.ceil(bytes.length / pieceBytes) }, (_, n) =>
        bytes.subarray(n * pieceBytes, (n + 1) * pieceBytes),
      ),
      pauseMs: 1000 / SLOW_PIECES_PER_SECOND,
      afterwards: "go-on",
    }),
  };
}

/** There is no API server. */
export function outage(): Fault {
  return { name: "total outage", refusesConnections: true };
}

/** The operations of `<entity>/$management`: what a client asks for beside sending and receiving. */
import type { Broker, Source } from "../broker.ts";
import { peek } from "../queue/inspect.ts";
import type { StoredMessage } from "../queue/message.ts";
import type { Outcome } from "../queue/queue.ts";
import { LOCK_LOST, MESSAGE_NOT_FOUND, SESSION_LOCK_LOST, type AmqpFault } from "./conditions.ts";
import { uuidFromBytes, uuidToBytes } from "./lock-token.ts";
import { decodeNewMessage, encodeForReceiver, withProperties } from "./message-codec.ts";
import { deadLetterOf } from "./outcome.ts";
import { amqpTypes } from "./rhea.ts";

export interface Answer {
  readonly status: number;
  readonly body?: Readonly<Record<string, unknown>>;
  readonly fault?: AmqpFault;
}

/** The decoded body of a request; each operation reads the fields that it knows. */
type Body = Readonly<Record<string, unknown>>;
type Operation = (broker: Broker, source: Source, body: Body) => Answer;

const OK: Answer = { status: 200 };
const NO_CONTENT: Answer = { status: 204 };
const gone = (fault: AmqpFault): Answer => ({ status: 410, fault });
const missing: Answer = { status: 404, fault: MESSAGE_NOT_FOUND };

const MAX_PEEKED = 256;
const LONG = 0x81;
const TIMESTAMP = 0x83;
const SETTLE_FIRST = 0;

const OPERATIONS: Readonly<Record<string, Operation>> = {
  "renew-lock": (broker, { queue }, body) => {
    const expirations: number[] = [];
    for (const token of tokensOf(body)) {
      const until = queue.renew(token, broker.now());
      if (until === undefined) return gone(LOCK_LOST);
      expirations.push(until);
    }
    return { status: 200, body: { expirations: arrayOf(TIMESTAMP, expirations) } };
  },

  "schedule-message": (broker, { queue }, body) => {
    const messages = listOf(body["messages"]).map((entry) =>
      decodeNewMessage(bytesOf(field(entry, "message"))),
    );
    const sequences = messages.map((message) => queue.send(message, broker.now()));
    return { status: 200, body: { "sequence-numbers": arrayOf(LONG, sequences) } };
  },

  "cancel-scheduled-message": (_, { queue }, body) => {
    const areAllCancelled = sequencesOf(body)
      .map((sequence) => queue.cancelScheduled(sequence))
      .every(Boolean);
    return areAllCancelled ? OK : missing;
  },

  "peek-message": (_, { queue, subqueue }, body) => {
    const found = peek(queue.state, {
      subqueue,
      fromSequence: longOf(body["from-sequence-number"]),
      limit: Math.min(longOf(body["message-count"]), MAX_PEEKED),
      sessionId: stringOf(body["session-id"]),
    });
    if (found.length === 0) return NO_CONTENT;
    const messages = found.map((stored) =>
      amqpTypes.wrap_map({ message: encodeForReceiver(stored, queue.name) }),
    );
    return { status: 200, body: { messages } };
  },

  "receive-by-sequence-number": (broker, { queue }, body) => {
    const isTakenAway = body["receiver-settle-mode"] === SETTLE_FIRST;
    const take = (sequence: number): StoredMessage | undefined =>
      isTakenAway
        ? queue.takeDeferredAway(sequence)
        : queue.takeDeferred(sequence, broker.newToken(), broker.now());
    const found = sequencesOf(body)
      .map(take)
      .filter((message) => message !== undefined);
    if (found.length === 0) return missing;
    const messages = found.map((stored) =>
      amqpTypes.wrap_map({
        ...(stored.lock && { "lock-token": amqpTypes.wrap_uuid(uuidToBytes(stored.lock.token)) }),
        message: encodeForReceiver(stored, queue.name),
      }),
    );
    return { status: 200, body: { messages } };
  },

  "update-disposition": (_, { queue }, body) => {
    const areAllSettled = tokensOf(body).map((token) => {
      const message = queue.locked(token);
      return message !== undefined && queue.settle(token, outcomeOf(body, message));
    });
    return areAllSettled.every(Boolean) ? OK : gone(LOCK_LOST);
  },

  "renew-session-lock": (broker, { queue }, body) => {
    const expiration = queue.renewSession(sessionOf(body), broker.now());
    if (expiration === undefined) return gone(SESSION_LOCK_LOST);
    return { status: 200, body: { expiration: amqpTypes.wrap_timestamp(expiration) } };
  },

  "set-session-state": (_, { queue }, body) => {
    const state = body["session-state"];
    queue.setSessionState(sessionOf(body), Buffer.isBuffer(state) ? state : null);
    return OK;
  },

  "get-session-state": (_, { queue }, body) => ({
    status: 200,
    body: { "session-state": queue.state.sessionStates.get(sessionOf(body)) ?? null },
  }),
};

/** Does what a request asks for. @param operation as the client names it, "com.microsoft:renew-lock" say */
export function manage(broker: Broker, source: Source, operation: string, body: Body): Answer {
  const run = OPERATIONS[operation.replace(/^com\.microsoft:/, "")];
  if (run !== undefined) return run(broker, source, body);
  const description = `This emulator does not know the operation '${operation}'.`;
  return { status: 501, fault: { condition: "amqp:not-implemented", description } };
}

function outcomeOf(body: Body, message: StoredMessage): Outcome {
  const amqp = withProperties(message.amqp, body["properties-to-modify"]);
  switch (body["disposition-status"]) {
    case "completed":
      return { kind: "completed" };
    case "defered": // so spelt in the protocol
      return { kind: "deferred", amqp };
    case "suspended": {
      const deadLetter = deadLetterOf(body["deadletter-reason"], body["deadletter-description"]);
      return { kind: "dead-lettered", deadLetter, amqp };
    }
    default:
      return { kind: "abandoned", amqp };
  }
}

function tokensOf(body: Body): string[] {
  return listOf(body["lock-tokens"]).map((token) => uuidFromBytes(bytesOf(token)));
}

function sequencesOf(body: Body): number[] {
  return listOf(body["sequence-numbers"]).map(longOf);
}

function sessionOf(body: Body): string {
  const id = stringOf(body["session-id"]);
  if (id === undefined) throw new TypeError("a session-id is missing");
  return id;
}

function arrayOf(typeCode: number, values: readonly number[]): unknown {
  return amqpTypes.wrap_array([...values], typeCode, undefined);
}

function field(entry: unknown, name: string): unknown {
  return typeof entry === "object" && entry !== null ? Reflect.get(entry, name) : undefined;
}

function listOf(value: unknown): unknown[] {
  if (!Array.isArray(value)) throw new TypeError("a list is missing");
  return value;
}

function bytesOf(value: unknown): Buffer {
  if (!Buffer.isBuffer(value)) throw new TypeError("bytes are missing");
  return value;
}

function stringOf(value: unknown): string | undefined {
  return typeof value === "string" ? value : undefined;
}

/** A long is a number, or its eight bytes where the client wrote it so. */
function longOf(value: unknown): number {
  if (Buffer.isBuffer(value)) return Number(value.readBigInt64BE());
  if (typeof value === "number") return value;
  throw new TypeError("a number is missing");
}

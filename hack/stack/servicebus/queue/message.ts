import * as z from "zod";

/** Bytes that are base64 in the journal. */
const Bytes = z.codec(
  z.base64(),
  z.custom<Buffer>((value) => Buffer.isBuffer(value)),
  {
    decode: (text) => Buffer.from(text, "base64"),
    encode: (bytes) => bytes.toString("base64"),
  },
);

/** Milliseconds since 1970. */
const Timestamp = z.number();

/** The queue proper, or its dead-letter queue. A message keeps its sequence number when it moves. */
export const Subqueue = z.enum(["main", "dead"]);
export type Subqueue = z.infer<typeof Subqueue>;

/** Why a message was dead-lettered. */
export const DeadLetter = z.object({ reason: z.string().optional(), description: z.string().optional() });
export type DeadLetter = z.infer<typeof DeadLetter>;

const Lock = z.object({
  token: z.uuid(),
  /** Absent for a message of a session: it is locked as long as its session is. */
  until: Timestamp.optional(),
});

export const StoredMessage = z.object({
  sequence: z.int().positive(),
  messageId: z.string(),
  sessionId: z.string().optional(),
  subqueue: Subqueue,
  /** What it is when it is not locked: to be delivered, waiting for its time, or set aside by a receiver. */
  phase: z.enum(["ready", "scheduled", "deferred"]),
  lock: Lock.optional(),
  /** Failed deliveries so far. */
  deliveryCount: z.int().nonnegative(),
  /** When it could first be received. */
  enqueuedAt: Timestamp,
  scheduledFor: Timestamp.optional(),
  timeToLiveMilliseconds: z.number().positive().optional(),
  deadLetter: DeadLetter.optional(),
  /** The AMQP message as it was sent, or as a receiver changed it. */
  amqp: Bytes,
});
export type StoredMessage = Readonly<z.infer<typeof StoredMessage>>;

/**
 * All that can happen to a queue. The journal holds exactly these, so replaying them gives the same queue; a
 * compacted journal starts with `restored`, `seen`, `session` and `numbered`.
 */
export const QueueEvent = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("sent"), message: StoredMessage }),
  z.object({ kind: z.literal("due"), sequence: z.int(), at: Timestamp }),
  z.object({ kind: z.literal("locked"), sequence: z.int(), lock: Lock }),
  z.object({
    kind: z.literal("unlocked"),
    sequence: z.int(),
    isFailure: z.boolean(),
    amqp: Bytes.optional(),
  }),
  z.object({ kind: z.literal("deferred"), sequence: z.int(), amqp: Bytes.optional() }),
  z.object({
    kind: z.literal("dead-lettered"),
    sequence: z.int(),
    deadLetter: DeadLetter,
    amqp: Bytes.optional(),
  }),
  z.object({ kind: z.literal("removed"), sequence: z.int() }),
  z.object({ kind: z.literal("session"), id: z.string(), state: Bytes.nullable() }),
  z.object({ kind: z.literal("restored"), message: StoredMessage }),
  z.object({ kind: z.literal("seen"), messageId: z.string(), at: Timestamp }),
  z.object({ kind: z.literal("numbered"), last: z.int().nonnegative() }),
]);
export type QueueEvent = z.infer<typeof QueueEvent>;

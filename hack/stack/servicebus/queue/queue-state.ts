import type { QueueEvent, StoredMessage, Subqueue } from "./message.ts";
import { OrderedSet } from "./ordered-set.ts";

/**
 * What a queue holds: changed by `apply` alone, so that the events of a life give the same state again. The
 * indexes are derived from the messages: each is in exactly the sets that its phase and lock say.
 */
export class QueueState {
  /** In the order of their sequence numbers. */
  readonly messages = new Map<number, StoredMessage>();
  readonly ready: Readonly<Record<Subqueue, OrderedSet>> = { main: new OrderedSet(), dead: new OrderedSet() };
  readonly lockExpiries = new OrderedSet();
  readonly schedule = new OrderedSet();
  readonly expiries = new OrderedSet();
  /** Lock token → sequence number. */
  readonly locks = new Map<string, number>();
  /** Message id → when it was sent, oldest first: the history of duplicate detection. */
  readonly seen = new Map<string, number>();
  readonly sessionStates = new Map<string, Buffer>();
  lastSequence = 0;

  apply(event: QueueEvent): void {
    if ("sequence" in event) {
      this.#change(event);
      return;
    }
    switch (event.kind) {
      case "sent":
        this.#see(event.message.messageId, event.message.enqueuedAt);
        this.#put(event.message);
        return;
      case "restored":
        this.#put(event.message);
        return;
      case "seen":
        this.#see(event.messageId, event.at);
        return;
      case "numbered":
        this.lastSequence = event.last;
        return;
      case "session":
        if (event.state === null) this.sessionStates.delete(event.id);
        else this.sessionStates.set(event.id, event.state);
        return;
      default:
        event satisfies never;
    }
  }

  /** The events that make an empty state equal to this one. */
  *snapshot(): Generator<QueueEvent> {
    yield { kind: "numbered", last: this.lastSequence };
    for (const [messageId, at] of this.seen) yield { kind: "seen", messageId, at };
    for (const [id, state] of this.sessionStates) yield { kind: "session", id, state };
    for (const message of this.messages.values()) yield { kind: "restored", message };
  }

  #see(messageId: string, at: number): void {
    this.seen.delete(messageId); // so that the map stays in the order of time
    this.seen.set(messageId, at);
  }

  #put(message: StoredMessage): void {
    this.#unindex(this.messages.get(message.sequence));
    this.messages.set(message.sequence, message);
    this.lastSequence = Math.max(this.lastSequence, message.sequence);
    for (const { set, order } of this.#places(message)) set.add(order, message.sequence);
    if (message.lock !== undefined) this.locks.set(message.lock.token, message.sequence);
  }

  #change(event: Change): void {
    const message = this.messages.get(event.sequence);
    if (message === undefined) return;
    if (event.kind === "removed") {
      this.#unindex(message);
      this.messages.delete(event.sequence);
    } else {
      this.#put(changed(message, event));
    }
  }

  #unindex(message: StoredMessage | undefined): void {
    if (message === undefined) return;
    for (const { set, order } of this.#places(message)) set.delete(order, message.sequence);
    if (message.lock !== undefined) this.locks.delete(message.lock.token);
  }

  /** The indexes that the message belongs to, and its order there. */
  #places(message: StoredMessage): Place[] {
    const { lock, phase, sequence, scheduledFor = 0, subqueue } = message;
    if (lock !== undefined)
      return lock.until === undefined ? [] : [{ set: this.lockExpiries, order: lock.until }];
    if (phase === "scheduled") return [{ set: this.schedule, order: scheduledFor }];
    const places: Place[] = [];
    if (phase === "ready") places.push({ set: this.ready[subqueue], order: sequence });
    const expiresAt = expiryOf(message);
    if (expiresAt !== undefined) places.push({ set: this.expiries, order: expiresAt });
    return places;
  }
}

interface Place {
  readonly set: OrderedSet;
  readonly order: number;
}

/** Dead-lettered messages never expire. */
function expiryOf(message: StoredMessage): number | undefined {
  const { enqueuedAt, subqueue, timeToLiveMilliseconds } = message;
  return timeToLiveMilliseconds === undefined || subqueue === "dead"
    ? undefined
    : enqueuedAt + timeToLiveMilliseconds;
}

type Change = Extract<QueueEvent, { sequence: number }>;

function changed(message: StoredMessage, event: Exclude<Change, { kind: "removed" }>): StoredMessage {
  const { lock: _, ...unlocked } = message;
  switch (event.kind) {
    case "due":
      return { ...message, phase: "ready", enqueuedAt: event.at };
    case "locked":
      return { ...message, lock: event.lock };
    case "unlocked":
      return {
        ...unlocked,
        deliveryCount: message.deliveryCount + (event.isFailure ? 1 : 0),
        amqp: event.amqp ?? message.amqp,
      };
    case "deferred":
      return { ...unlocked, phase: "deferred", amqp: event.amqp ?? message.amqp };
    case "dead-lettered":
      return {
        ...unlocked,
        phase: "ready",
        subqueue: "dead",
        deadLetter: event.deadLetter,
        amqp: event.amqp ?? message.amqp,
      };
    default:
      return event satisfies never;
  }
}

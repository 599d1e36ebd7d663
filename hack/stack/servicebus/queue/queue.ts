/**
 * One queue with its dead-letter queue, as Azure Service Bus defines it: peek-lock, redelivery, deferral,
 * scheduling, expiry, duplicate detection, sessions. No IO and no clock: every method takes the time, and every
 * change is an event that is handed to `record` and applied at once.
 */
import type { DeadLetter, QueueEvent, StoredMessage, Subqueue } from "./message.ts";
import { firstState, type NewMessage } from "./new-message.ts";
import { QueueState } from "./queue-state.ts";
import { SessionLocks } from "./sessions.ts";
import type { QueueSettings } from "./settings.ts";

/** What a receiver decided about a message that it holds. `amqp` replaces the message when it was changed. */
export type Outcome =
  | { readonly kind: "completed" }
  | { readonly kind: "abandoned"; readonly amqp?: Buffer | undefined }
  | { readonly kind: "deferred"; readonly amqp?: Buffer | undefined }
  | {
      readonly kind: "dead-lettered";
      readonly deadLetter: DeadLetter;
      readonly amqp?: Buffer | undefined;
    };

export interface Claim {
  readonly token: string;
  /** The session that the receiver holds; undefined on queues without sessions. */
  readonly sessionId?: string | undefined;
}

export class Queue {
  readonly name: string;
  settings: QueueSettings;
  /** To look at; it is changed here alone. */
  readonly state = new QueueState();
  readonly #sessions = new SessionLocks();
  readonly #record: (event: QueueEvent) => void;

  constructor(name: string, settings: QueueSettings, record: (event: QueueEvent) => void) {
    this.name = name;
    this.settings = settings;
    this.#record = record;
  }

  /**
   * Adds a message, or drops it as a duplicate.
   * @returns a sequence number of its own, also for a duplicate: its sender hears nothing of that, as in Azure
   */
  send(message: NewMessage, now: number): number {
    this.#forgetOldIds(now);
    const sequence = this.state.lastSequence + 1;
    if (this.state.seen.has(message.messageId)) this.#emit({ kind: "numbered", last: sequence });
    else this.#emit({ kind: "sent", message: firstState(message, sequence, this.settings, now) });
    return sequence;
  }

  /** Locks the next message for a receiver. Undefined when there is none for it. */
  take(subqueue: Subqueue, claim: Claim, now: number): StoredMessage | undefined {
    const message = this.#next(subqueue, claim.sessionId);
    return message && this.#lock(message, claim.token, now);
  }

  /** Takes the next message away: a receiver in receive-and-delete mode. */
  takeAway(subqueue: Subqueue, sessionId?: string): StoredMessage | undefined {
    const message = this.#next(subqueue, sessionId);
    if (message !== undefined) this.#emit({ kind: "removed", sequence: message.sequence });
    return message;
  }

  /** Locks a message that was deferred. Undefined when there is no such message. */
  takeDeferred(sequence: number, token: string, now: number): StoredMessage | undefined {
    const message = this.#deferred(sequence);
    return message && this.#lock(message, token, now);
  }

  takeDeferredAway(sequence: number): StoredMessage | undefined {
    const message = this.#deferred(sequence);
    if (message !== undefined) this.#emit({ kind: "removed", sequence });
    return message;
  }

  /** The message that a lock token stands for. Undefined when the lock was lost. */
  locked(token: string): StoredMessage | undefined {
    const sequence = this.state.locks.get(token);
    return sequence === undefined ? undefined : this.state.messages.get(sequence);
  }

  /** @returns false when the lock was lost: the outcome has no effect then */
  settle(token: string, outcome: Outcome): boolean {
    const message = this.locked(token);
    if (message === undefined) return false;
    const { sequence } = message;
    switch (outcome.kind) {
      case "completed":
        this.#emit({ kind: "removed", sequence });
        return true;
      case "abandoned":
        this.#giveBack(message, true, outcome.amqp);
        return true;
      case "deferred":
        this.#emit({ kind: "deferred", sequence, ...withAmqp(outcome.amqp) });
        return true;
      case "dead-lettered":
        this.#emit({
          kind: "dead-lettered",
          sequence,
          deadLetter: outcome.deadLetter,
          ...withAmqp(outcome.amqp),
        });
        return true;
      default:
        return outcome satisfies never;
    }
  }

  /** @returns until when the lock holds now; undefined when it was lost */
  renew(token: string, now: number): number | undefined {
    const message = this.locked(token);
    if (message?.lock?.until === undefined) return undefined;
    const until = now + this.#lockMilliseconds;
    this.#emit({ kind: "locked", sequence: message.sequence, lock: { token, until } });
    return until;
  }

  /** Cancels a scheduled message. @returns false when there is none with that number */
  cancelScheduled(sequence: number): boolean {
    const isScheduled = this.state.messages.get(sequence)?.phase === "scheduled";
    if (isScheduled) this.#emit({ kind: "removed", sequence });
    return isScheduled;
  }

  /**
   * Gives a session to a receiver: the one asked for, or the first with a message that nobody holds.
   * @returns the session; "held" when somebody else has it; "none" when no session is waiting
   */
  acceptSession(id: string | undefined, now: number): { id: string; until: number } | "held" | "none" {
    if (id !== undefined && this.#sessions.isHeld(id)) return "held";
    const found = id ?? this.#firstFreeSession();
    if (found === undefined) return "none";
    const until = now + this.#lockMilliseconds;
    this.#sessions.hold(found, until);
    return { id: found, until };
  }

  renewSession(id: string, now: number): number | undefined {
    if (!this.#sessions.isHeld(id)) return undefined;
    const until = now + this.#lockMilliseconds;
    this.#sessions.hold(id, until);
    return until;
  }

  isSessionHeld(id: string): boolean {
    return this.#sessions.isHeld(id);
  }

  /** Its holder has closed it: what it held is given back, and that is no failed delivery. */
  releaseSession(id: string): void {
    this.#giveBackSession(id, false);
  }

  setSessionState(id: string, state: Buffer | null): void {
    this.#emit({ kind: "session", id, state });
  }

  /** Does what has become due: gives back expired locks, enqueues scheduled messages, expires old ones. */
  advance(now: number): void {
    this.#forgetOldIds(now);
    for (const id of this.#sessions.expired(now)) this.#giveBackSession(id, true);
    for (const message of this.#due(this.state.lockExpiries, now)) this.#giveBack(message, true);
    for (const { sequence } of this.#due(this.state.schedule, now)) {
      this.#emit({ kind: "due", sequence, at: now });
    }
    for (const message of this.#due(this.state.expiries, now)) this.#expire(message);
  }

  /** When `advance` has to be called next, in milliseconds since 1970; Infinity when nothing is waiting. */
  nextDeadline(): number {
    const { lockExpiries, schedule, expiries } = this.state;
    const firsts = [lockExpiries, schedule, expiries].map((set) => set.first?.order ?? Infinity);
    return Math.min(...firsts, this.#sessions.nextExpiry());
  }

  /** Applies an event of an earlier life. */
  replay(event: QueueEvent): void {
    this.state.apply(event);
  }

  /** After the replay: the links of that life are gone, and with them its sessions. */
  finishReplay(): void {
    for (const message of this.state.messages.values()) {
      if (message.lock !== undefined && message.lock.until === undefined) this.#giveBack(message, false);
    }
  }

  get #lockMilliseconds(): number {
    return this.settings.lockSeconds * 1000;
  }

  #emit(event: QueueEvent): void {
    this.#record(event);
    this.state.apply(event);
  }

  #next(subqueue: Subqueue, sessionId: string | undefined): StoredMessage | undefined {
    for (const sequence of this.state.ready[subqueue]) {
      const message = this.state.messages.get(sequence);
      if (message !== undefined && (sessionId === undefined || message.sessionId === sessionId))
        return message;
    }
    return undefined;
  }

  #deferred(sequence: number): StoredMessage | undefined {
    const message = this.state.messages.get(sequence);
    return message?.phase === "deferred" && message.lock === undefined ? message : undefined;
  }

  #lock(message: StoredMessage, token: string, now: number): StoredMessage | undefined {
    const isOfSession = message.sessionId !== undefined && this.#sessions.isHeld(message.sessionId);
    const lock = isOfSession ? { token } : { token, until: now + this.#lockMilliseconds };
    this.#emit({ kind: "locked", sequence: message.sequence, lock });
    return this.state.messages.get(message.sequence);
  }

  #giveBack(message: StoredMessage, isFailure: boolean, amqp?: Buffer): void {
    const { sequence, subqueue } = message;
    const { maxDeliveryCount } = this.settings;
    this.#emit({ kind: "unlocked", sequence, isFailure, ...withAmqp(amqp) });
    const isPoison = isFailure && subqueue === "main" && message.deliveryCount + 1 >= maxDeliveryCount;
    if (!isPoison) return;
    const description = `Message could not be consumed after ${maxDeliveryCount} delivery attempts.`;
    this.#emit({
      kind: "dead-lettered",
      sequence,
      deadLetter: { reason: "MaxDeliveryCountExceeded", description },
    });
  }

  #giveBackSession(id: string, isFailure: boolean): void {
    this.#sessions.release(id);
    for (const message of this.state.messages.values()) {
      const isHeld =
        message.sessionId === id && message.lock !== undefined && message.lock.until === undefined;
      if (isHeld) this.#giveBack(message, isFailure);
    }
  }

  #expire({ sequence }: StoredMessage): void {
    if (!this.settings.deadLetteringOnMessageExpiration) {
      this.#emit({ kind: "removed", sequence });
      return;
    }
    const description = "The message expired and was dead lettered.";
    this.#emit({
      kind: "dead-lettered",
      sequence,
      deadLetter: { reason: "TTLExpiredException", description },
    });
  }

  *#due(set: QueueState["schedule"], now: number): Generator<StoredMessage> {
    // The caller's event takes the first out of the set each time.
    for (let first = set.first; first !== undefined && first.order <= now; first = set.first) {
      const message = this.state.messages.get(first.sequence);
      if (message === undefined) throw new Error(`message ${first.sequence} is indexed but not there`);
      yield message;
    }
  }

  #forgetOldIds(now: number): void {
    const window = this.settings.duplicateDetectionSeconds * 1000;
    for (const [id, at] of this.state.seen) {
      if (now - at < window) break;
      this.state.seen.delete(id);
    }
  }

  #firstFreeSession(): string | undefined {
    for (const sequence of this.state.ready.main) {
      const id = this.state.messages.get(sequence)?.sessionId;
      if (id !== undefined && !this.#sessions.isHeld(id)) return id;
    }
    return undefined;
  }
}

function withAmqp(amqp: Buffer | undefined): { amqp?: Buffer } {
  return amqp === undefined ? {} : { amqp };
}

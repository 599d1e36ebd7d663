/**
 * The queues, their journal and their receivers. Everything that happens within one turn of the event loop is
 * collected; at its end the messages are handed out, the journal is written once, and only then do senders and
 * receivers hear that what they asked for was done.
 */
import type { Journal } from "./journal/journal.ts";
import type { JournalRecord } from "./journal/record.ts";
import type { StoredMessage, Subqueue } from "./queue/message.ts";
import { Queue } from "./queue/queue.ts";
import type { QueueSettings } from "./queue/settings.ts";

const MAX_TIMER_MILLISECONDS = 2 ** 31 - 1;

/** Somebody who receives from a queue. */
export interface Consumer {
  readonly mode: "peek-lock" | "receive-and-delete";
  /** The session that it holds, on a queue with sessions. */
  readonly sessionId?: string | undefined;
  /** How many messages it takes right now. */
  credit(): number;
  deliver(message: StoredMessage): void;
  /** Called at the end of every turn, when there was nothing more for it. */
  settled(): void;
  /** It gets nothing any more: its session was not renewed in time, or the queue was deleted. */
  cutOff(reason: "session-lost" | "queue-deleted"): void;
}

/** A place that messages are received from. */
export interface Source {
  readonly queue: Queue;
  readonly subqueue: Subqueue;
}

export interface BrokerOptions {
  readonly journal: Journal;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly newToken: () => string;
}

const DEAD_LETTER_SUFFIX = "/$deadletterqueue";

export class Broker {
  readonly now: () => number;
  readonly newToken: () => string;
  readonly #journal: Journal;
  readonly #queues = new Map<string, Queue>();
  readonly #consumers = new Map<Consumer, Source>();
  #afterCommit: (() => void)[] = [];
  #turn: NodeJS.Immediate | undefined;
  #alarm: NodeJS.Timeout | undefined;

  constructor({ journal, now, newToken }: BrokerOptions) {
    this.now = now;
    this.newToken = newToken;
    this.#journal = journal;
    for (const record of journal.recovered) this.#replay(record);
    for (const queue of this.#queues.values()) queue.finishReplay();
    this.#journal.rewrite(this.#snapshot());
    this.touch();
  }

  /** Creates a queue, or changes the settings of an existing one. */
  putQueue(name: string, settings: QueueSettings): void {
    const record: JournalRecord = { what: "queue", name, settings };
    this.#journal.append(record);
    this.#replay(record);
    this.touch();
  }

  /** @returns false when there is none */
  deleteQueue(name: string): boolean {
    const queue = this.#queues.get(name.toLowerCase());
    if (queue === undefined) return false;
    const record: JournalRecord = { what: "queue-deleted", name: queue.name };
    this.#journal.append(record);
    this.#replay(record);
    this.#cutOff("queue-deleted", (source) => source.queue === queue);
    this.touch();
    return true;
  }

  queues(): Iterable<Queue> {
    return this.#queues.values();
  }

  /** Finds what an address names: `<queue>` or `<queue>/$DeadLetterQueue`, without regard to case. */
  source(address: string): Source | undefined {
    const path = address.toLowerCase().replace(/^\//, "");
    const isDead = path.endsWith(DEAD_LETTER_SUFFIX);
    const queue = this.#queues.get(isDead ? path.slice(0, -DEAD_LETTER_SUFFIX.length) : path);
    return queue && { queue, subqueue: isDead ? "dead" : "main" };
  }

  attach(consumer: Consumer, source: Source): void {
    this.#consumers.set(consumer, source);
    this.touch();
  }

  detach(consumer: Consumer): void {
    this.#consumers.delete(consumer);
  }

  /** Runs `then` once everything that has happened so far is in the journal. */
  afterCommit(then: () => void): void {
    this.#afterCommit.push(then);
    this.touch();
  }

  /** Something has changed: messages, credit, time. */
  touch(): void {
    this.#turn ??= setImmediate(() => this.#endTurn());
  }

  close(): void {
    clearImmediate(this.#turn);
    clearTimeout(this.#alarm);
    this.#turn = undefined;
    this.#journal.close();
  }

  #endTurn(): void {
    this.#turn = undefined;
    const now = this.now();
    for (const queue of this.#queues.values()) queue.advance(now);
    this.#cutOff("session-lost", ({ queue }, { sessionId }) => {
      return sessionId !== undefined && !queue.isSessionHeld(sessionId);
    });
    this.#handOut(now);
    this.#journal.flush();
    if (this.#journal.isOvergrown()) this.#journal.rewrite(this.#snapshot());
    const committed = this.#afterCommit;
    this.#afterCommit = [];
    for (const then of committed) then();
    for (const consumer of this.#consumers.keys()) consumer.settled();
    this.#setAlarm();
  }

  /** One message each in turn, so that two consumers share a queue evenly. */
  #handOut(now: number): void {
    let hungry = [...this.#consumers];
    while (hungry.length > 0) {
      hungry = hungry.filter(([consumer, source]) => this.#handOutOne(consumer, source, now));
    }
    this.#rotate();
  }

  /** @returns false when it takes no more, or when there is nothing for it */
  #handOutOne(consumer: Consumer, { queue, subqueue }: Source, now: number): boolean {
    if (consumer.credit() <= 0) return false;
    const { mode, sessionId } = consumer;
    const message =
      mode === "peek-lock"
        ? queue.take(subqueue, { token: this.newToken(), sessionId }, now)
        : queue.takeAway(subqueue, sessionId);
    if (message === undefined) return false;
    consumer.deliver(message);
    return true;
  }

  /** The next turn begins with another consumer: single messages go round as well. */
  #rotate(): void {
    const [first] = this.#consumers;
    if (first === undefined) return;
    this.#consumers.delete(first[0]);
    this.#consumers.set(...first);
  }

  #cutOff(
    reason: "session-lost" | "queue-deleted",
    applies: (source: Source, consumer: Consumer) => boolean,
  ): void {
    for (const [consumer, source] of this.#consumers) {
      if (!applies(source, consumer)) continue;
      this.#consumers.delete(consumer);
      consumer.cutOff(reason);
    }
  }

  #setAlarm(): void {
    clearTimeout(this.#alarm);
    const next = Math.min(...[...this.#queues.values()].map((queue) => queue.nextDeadline()));
    if (next === Infinity) return;
    const delay = Math.min(Math.max(next - this.now(), 1), MAX_TIMER_MILLISECONDS);
    this.#alarm = setTimeout(() => this.touch(), delay);
  }

  #replay(record: JournalRecord): void {
    switch (record.what) {
      case "queue":
        this.#openQueue(record.name, record.settings);
        return;
      case "queue-deleted":
        this.#queues.delete(record.name.toLowerCase());
        return;
      case "event":
        this.#queues.get(record.queue.toLowerCase())?.replay(record.event);
        return;
      default:
        record satisfies never;
    }
  }

  #openQueue(name: string, settings: QueueSettings): void {
    const known = this.#queues.get(name.toLowerCase());
    if (known !== undefined) {
      known.settings = settings;
      return;
    }
    const queue = new Queue(name, settings, (event) =>
      this.#journal.append({ what: "event", queue: name, event }),
    );
    this.#queues.set(name.toLowerCase(), queue);
  }

  *#snapshot(): Generator<JournalRecord> {
    for (const { name, settings, state } of this.#queues.values()) {
      yield { what: "queue", name, settings };
      for (const event of state.snapshot()) yield { what: "event", queue: name, event };
    }
  }
}

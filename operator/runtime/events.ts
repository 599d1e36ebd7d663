import { createHash } from "node:crypto";
import type { ApiClient, Resource } from "./api-client.ts";
import type { Clock } from "./clock.ts";
import { isStatus, LeadershipLostError } from "./errors.ts";
import type { Log } from "./log.ts";

/**
 * Kubernetes events (events.k8s.io/v1). Recording never waits and never fails the caller: events are sent one
 * after another in the background, and what does not fit the backlog is dropped and counted. An event that
 * repeats within the window is counted on the first one (`series`) instead of being written again, and so is one
 * that differs from many others in its words only. Names sort by time: events of this API have no other time that
 * kubectl sorts by, so `kubectl describe` shows them in the order of their names.
 */
export interface ObjectReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

export interface EventNote {
  readonly type: "Normal" | "Warning";
  /** CamelCase: why. */
  readonly reason: string;
  /** CamelCase: what was done about it. */
  readonly action: string;
  /** For people, at most 1,024 bytes. */
  readonly note: string;
}

export interface EventRecorder {
  record(regarding: ObjectReference, note: EventNote): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

export interface EventRecorderSettings {
  readonly client: Pick<ApiClient, "create" | "patch">;
  readonly clock: Clock;
  readonly log: Log;
  /** Name of the controller, as in `kubectl describe`: `<domain>/<name>`. */
  readonly controller: string;
  readonly instance: string;
  /** Equal events within this time are one event with a count. */
  readonly windowSeconds: number;
  /** A count is written at most so often. */
  readonly countSeconds: number;
}

interface Series {
  readonly name: string;
  readonly namespace: string;
  readonly startedMs: number;
  count: number;
  writtenCount: number;
  writtenMs: number;
}

/** Events about one object that differ in their words only. */
interface Similar {
  readonly startedMs: number;
  /** A few short ones: thousands of these are kept, and each Set would take ten times as much. */
  readonly notes: string[];
}

const MAX_BACKLOG = 1000;
const MAX_SERIES = 4096;
/** Of similar events within the window so many are written as they are; the others share one. */
const MAX_SIMILAR = 10;
const COMBINED = "(combined from similar events) ";
/** The API server's limits. */
const MAX_NOTE_BYTES = 1024;
const MAX_NAME_LENGTH = 253;
const MAX_INSTANCE_LENGTH = 128;
/** Microseconds since 1970 in hexadecimal, until the year 2112. */
const MICROS_DIGITS = 13;

export function createEventRecorder(settings: EventRecorderSettings): EventRecorder {
  return new Recorder(settings);
}

class Recorder implements EventRecorder {
  readonly #settings: EventRecorderSettings;
  /** By the hash of what makes events equal, oldest first. */
  readonly #series = new Map<string, Series>();
  readonly #similar = new Map<string, Similar>();
  #sending: Promise<void> = Promise.resolve();
  #backlog = 0;
  #dropped = 0;
  #lastMicros = 0;

  constructor(settings: EventRecorderSettings) {
    this.#settings = settings;
  }

  record(regarding: ObjectReference, note: EventNote): void {
    const isOneTooMany = this.#isOneOfTooMany(regarding, note);
    const told = isOneTooMany ? { ...note, note: `${COMBINED}${note.note}` } : note;
    const write = this.#writeFor(regarding, told, isOneTooMany ? COMBINED : note.note);
    if (write) this.#enqueue(write);
  }

  async close(): Promise<void> {
    for (const series of this.#series.values()) {
      if (series.count > series.writtenCount) this.#enqueue(() => this.#count(series));
    }
    await this.#sending;
    if (this.#dropped > 0) this.#settings.log.warn({ dropped: this.#dropped }, "events were dropped");
  }

  #enqueue(write: () => Promise<unknown>): void {
    if (this.#backlog >= MAX_BACKLOG) {
      this.#dropped++;
      return;
    }
    this.#backlog++;
    this.#sending = this.#sending.then(() => this.#send(write));
  }

  async #send(write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      if (error instanceof LeadershipLostError) this.#dropped++;
      else this.#settings.log.warn({ error }, "an event was not written");
    } finally {
      this.#backlog--;
    }
  }

  #isOneOfTooMany(regarding: ObjectReference, note: EventNote): boolean {
    const nowMs = this.#settings.clock.monotonicMs();
    const kind = hashOf(JSON.stringify([regarding.uid, note.type, note.reason, note.action]));
    let similar = this.#similar.get(kind);
    if (!similar || this.#isPast(similar.startedMs, nowMs)) {
      similar = { startedMs: nowMs, notes: [] };
      remember(this.#similar, kind, similar);
    }
    const words = hashOf(note.note);
    if (similar.notes.includes(words)) return false;
    if (similar.notes.length >= MAX_SIMILAR) return true;
    similar.notes.push(words);
    return false;
  }

  #isPast(startedMs: number, nowMs: number): boolean {
    return nowMs - startedMs > this.#settings.windowSeconds * 1000;
  }

  /** @param words what makes the note equal to others of its kind */
  #writeFor(
    regarding: ObjectReference,
    note: EventNote,
    words: string,
  ): (() => Promise<unknown>) | undefined {
    const { clock, countSeconds } = this.#settings;
    const nowMs = clock.monotonicMs();
    const identity = hashOf(JSON.stringify([regarding.uid, note.type, note.reason, note.action, words]));
    const series = this.#series.get(identity);
    if (!series || this.#isPast(series.startedMs, nowMs)) {
      const fresh: Series = {
        name: eventName(regarding, this.#nextMicros(), identity),
        namespace: regarding.namespace,
        startedMs: nowMs,
        count: 1,
        writtenCount: 1,
        writtenMs: nowMs,
      };
      remember(this.#series, identity, fresh);
      return () => this.#create(fresh.name, regarding, note);
    }
    series.count++;
    if (nowMs - series.writtenMs < countSeconds * 1000) return undefined;
    series.writtenMs = nowMs;
    return () => this.#count(series);
  }

  /** Microseconds since 1970, later with every call, even when the clock stands still or goes back. */
  #nextMicros(): number {
    this.#lastMicros = Math.max(this.#settings.clock.now().getTime() * 1000, this.#lastMicros + 1);
    return this.#lastMicros;
  }

  async #create(name: string, regarding: ObjectReference, note: EventNote): Promise<void> {
    const { client, clock, controller, instance } = this.#settings;
    try {
      await client.create(eventsIn(regarding.namespace), {
        apiVersion: "events.k8s.io/v1",
        kind: "Event",
        metadata: { name, namespace: regarding.namespace },
        eventTime: microTime(clock.now()),
        reportingController: controller,
        reportingInstance: instance.slice(0, MAX_INSTANCE_LENGTH),
        ...note,
        note: cutToBytes(note.note, MAX_NOTE_BYTES),
        regarding,
      });
    } catch (error) {
      // A retry whose first try had arrived.
      if (!isStatus(error, 409)) throw error;
    }
  }

  #count(series: Series): Promise<unknown> {
    const { client, clock } = this.#settings;
    const { name, namespace, count } = series;
    series.writtenCount = count;
    return client.patch(eventsIn(namespace), name, {
      series: { count, lastObservedTime: microTime(clock.now()) },
    });
  }
}

/** Keeps the newest. */
function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > MAX_SERIES && oldest !== undefined) map.delete(oldest);
}

function eventsIn(namespace: string): Resource {
  return { group: "events.k8s.io", version: "v1", plural: "events", namespace };
}

/** @param identity a hash, which tells two recorders' events of one moment apart */
function eventName(regarding: ObjectReference, micros: number, identity: string): string {
  const suffix = `${micros.toString(16).padStart(MICROS_DIGITS, "0")}${identity}`;
  const room = MAX_NAME_LENGTH - suffix.length - 1;
  return `${regarding.name.slice(0, room).replace(/[-.]+$/, "")}.${suffix}`;
}

function hashOf(text: string): string {
  // Cut from the bytes: a part of a text would keep the whole.
  return createHash("sha256").update(text).digest().toString("hex", 0, 8);
}

/** The longest beginning that takes no more bytes; letters stay whole. */
function cutToBytes(text: string, maxBytes: number): string {
  const bytes = new Uint8Array(maxBytes);
  const { read } = new TextEncoder().encodeInto(text, bytes);
  return text.slice(0, read);
}

function microTime(time: Date): string {
  return time.toISOString().replace("Z", "000Z");
}

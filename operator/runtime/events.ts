import { createHash } from "node:crypto";
import type { ApiClient, Resource } from "./api-client.ts";
import type { Clock } from "./clock.ts";
import { isStatus } from "./errors.ts";
import type { Log } from "./log.ts";

/**
 * Kubernetes events (events.k8s.io/v1). Recording never waits and never fails the caller: events are sent one
 * after another in the background, and what does not fit the backlog is dropped and counted. An event that
 * repeats within the window is counted on the first one (`series`) instead of being written again.
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
  readonly startedMs: number;
  count: number;
  writtenMs: number;
}

const MAX_BACKLOG = 1000;
const MAX_SERIES = 4096;
const MAX_NOTE_LENGTH = 1000;

export function createEventRecorder(settings: EventRecorderSettings): EventRecorder {
  return new Recorder(settings);
}

class Recorder implements EventRecorder {
  readonly #settings: EventRecorderSettings;
  /** By what makes events equal, oldest first. */
  readonly #series = new Map<string, Series>();
  #sending: Promise<void> = Promise.resolve();
  #backlog = 0;
  #dropped = 0;

  constructor(settings: EventRecorderSettings) {
    this.#settings = settings;
  }

  record(regarding: ObjectReference, note: EventNote): void {
    const write = this.#writeFor(regarding, note);
    if (!write) return;
    if (this.#backlog >= MAX_BACKLOG) {
      this.#dropped++;
      return;
    }
    this.#backlog++;
    this.#sending = this.#sending.then(() => this.#send(write));
  }

  async close(): Promise<void> {
    await this.#sending;
    if (this.#dropped > 0) this.#settings.log.warn({ dropped: this.#dropped }, "events were dropped");
  }

  async #send(write: () => Promise<unknown>): Promise<void> {
    try {
      await write();
    } catch (error) {
      this.#settings.log.warn({ error }, "an event was not written");
    } finally {
      this.#backlog--;
    }
  }

  #writeFor(regarding: ObjectReference, note: EventNote): (() => Promise<unknown>) | undefined {
    const { clock, windowSeconds, countSeconds } = this.#settings;
    const nowMs = clock.monotonicMs();
    const identity = JSON.stringify([regarding.uid, note.type, note.reason, note.action, note.note]);
    const series = this.#series.get(identity);
    if (!series || nowMs - series.startedMs > windowSeconds * 1000) {
      const fresh = {
        name: eventName(regarding, identity, clock.now()),
        startedMs: nowMs,
        count: 1,
        writtenMs: nowMs,
      };
      this.#remember(identity, fresh);
      return () => this.#create(fresh.name, regarding, note);
    }
    series.count++;
    if (nowMs - series.writtenMs < countSeconds * 1000) return undefined;
    series.writtenMs = nowMs;
    return () => this.#count(series, regarding.namespace);
  }

  #remember(identity: string, series: Series): void {
    this.#series.delete(identity);
    this.#series.set(identity, series);
    const [oldest] = this.#series.keys();
    if (this.#series.size > MAX_SERIES && oldest !== undefined) this.#series.delete(oldest);
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
        reportingInstance: instance.slice(0, 128),
        ...note,
        note: note.note.slice(0, MAX_NOTE_LENGTH),
        regarding,
      });
    } catch (error) {
      // A retry whose first try had arrived.
      if (!isStatus(error, 409)) throw error;
    }
  }

  #count({ name, count }: Series, namespace: string): Promise<unknown> {
    const { client, clock } = this.#settings;
    return client.patch(eventsIn(namespace), name, {
      series: { count, lastObservedTime: microTime(clock.now()) },
    });
  }
}

function eventsIn(namespace: string): Resource {
  return { group: "events.k8s.io", version: "v1", plural: "events", namespace };
}

function eventName(regarding: ObjectReference, identity: string, now: Date): string {
  const hash = createHash("sha256").update(`${identity}${now.toISOString()}`).digest("hex").slice(0, 16);
  return `${regarding.name}.${hash}`;
}

function microTime(time: Date): string {
  return time.toISOString().replace("Z", "000Z");
}

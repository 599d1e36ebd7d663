import * as z from "zod";
import type { ListPage } from "./api-client.ts";
import { backoffMs, type BackoffSettings } from "./backoff.ts";
import { type Clock, sleep } from "./clock.ts";
import { ApiStatusError, isStatus } from "./errors.ts";
import type { Entry } from "./store.ts";
import { watchEvents, type WatchEvent } from "./watch-events.ts";

/**
 * Keeps a store equal to what the API server holds: lists in pages, then watches from there, and begins anew,
 * with a jittered wait, after every kind of end. It never gives up and never throws; what happened is told to
 * the observer.
 */
export interface ReflectorSource {
  list(page: { continueToken: string | undefined; limit: number }, signal: AbortSignal): Promise<ListPage>;
  watch(options: {
    resourceVersion: string;
    timeoutSeconds: number;
    signal: AbortSignal;
  }): Promise<AsyncIterable<Buffer>>;
}

/** Where a reflector puts what it sees; `Store` is one. */
export interface ReflectorTarget<T> {
  /** What this would bring is there already, as an answer to an own write is: it need not be read. */
  knows(key: string, resourceVersion: string): boolean;
  watched(entry: Entry<T>): void;
  watchedDelete(key: string, resourceVersion: string): void;
  advance(resourceVersion: string): void;
  replace(entries: readonly Entry<T>[], resourceVersion: string): void;
}

export interface ReflectorObserver {
  listed(facts: { objects: number; seconds: number }): void;
  /** A watch ended, for `why`; the next begins after `waitMs`. */
  restarted(facts: { why: RestartReason; error?: unknown; waitMs: number }): void;
  /** An object that could not be read is left out; the others are not harmed. */
  skipped(facts: { key: string; error: unknown }): void;
}

export type RestartReason = "closed" | "expired" | "stale" | "throttled" | "server-error" | "broken";

export interface ReflectorSettings<T> {
  readonly source: ReflectorSource;
  readonly target: ReflectorTarget<T>;
  /** Makes the stored value of a raw object, without what only its writers need; throws when it cannot. */
  readonly transform: (raw: unknown) => T;
  readonly observer: ReflectorObserver;
  readonly clock: Clock;
  readonly random: () => number;
  readonly backoff: BackoffSettings;
  /** A watch that brings not one byte for so long is taken for dead; bookmarks come about once a minute. */
  readonly staleMs: number;
  readonly pageLimit?: number;
}

export interface Reflector {
  /** Runs until the signal is aborted. */
  run(signal: AbortSignal): Promise<void>;
  /** Resolves when the first whole list is in the store. */
  readonly synced: Promise<void>;
  readonly isSynced: boolean;
}

const DEFAULT_PAGE_LIMIT = 500;
/** The server ends a watch by itself after 5 to 10 minutes, so that watches spread over its replicas. */
const MIN_WATCH_SECONDS = 300;
/** A watch that cannot be resumed so often in a row may have lost its place for good: list again. */
const FAILURES_BEFORE_RELIST = 3;
/** A watch that lived so long, or until it was stale, was healthy: its end starts the back-off anew. */
const HEALTHY_MS = 5000;

const ObjectIdentity = z.looseObject({
  metadata: z.looseObject({
    name: z.string(),
    namespace: z.string().optional(),
    uid: z.string(),
    resourceVersion: z.string(),
    annotations: z.record(z.string(), z.string()).optional(),
  }),
});
/** The whole object once more, as text. */
const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";
const Bookmark = z.object({ metadata: z.object({ resourceVersion: z.string() }) });
const ErrorObject = z.object({
  code: z.number().default(500),
  reason: z.string().default(""),
  message: z.string().default(""),
  details: z.object({ retryAfterSeconds: z.number().optional() }).optional(),
});

/** The store's entry for an object as the API server sends it. */
export function toEntry<T>(raw: unknown, transform: (raw: unknown) => T): Entry<T> {
  const identity = ObjectIdentity.parse(raw);
  const { name, namespace, uid, resourceVersion, annotations } = identity.metadata;
  delete identity.metadata["managedFields"];
  delete annotations?.[LAST_APPLIED];
  return {
    key: namespace === undefined ? name : `${namespace}/${name}`,
    uid,
    resourceVersion,
    value: transform(identity),
  };
}

export function createReflector<T>(settings: ReflectorSettings<T>): Reflector {
  return new ListAndWatch(settings);
}

class ListAndWatch<T> implements Reflector {
  readonly #settings: ReflectorSettings<T>;
  readonly #synced = Promise.withResolvers<void>();
  #isSynced = false;
  /** From where to watch on; undefined when a list is needed first. */
  #resourceVersion: string | undefined;
  #failures = 0;

  constructor(settings: ReflectorSettings<T>) {
    this.#settings = settings;
  }

  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  get isSynced(): boolean {
    return this.#isSynced;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const startedMs = this.#settings.clock.monotonicMs();
      const end = await this.#attempt(signal);
      if (signal.aborted) return;
      await this.#recover(end, this.#settings.clock.monotonicMs() - startedMs, signal);
    }
  }

  /** Lists if need be, then watches until the watch ends. Returns the error that ended it, if one did. */
  async #attempt(signal: AbortSignal): Promise<{ error?: unknown }> {
    try {
      const from = this.#resourceVersion ?? (await this.#list(signal));
      await this.#watch(from, signal);
      return {};
    } catch (error) {
      return { error };
    }
  }

  async #recover(end: { error?: unknown }, livedMs: number, signal: AbortSignal): Promise<void> {
    const { backoff, random, observer, clock, staleMs } = this.#settings;
    const why = "error" in end ? reasonOf(end.error) : "closed";
    const isHealthy = livedMs >= Math.min(HEALTHY_MS, staleMs);
    this.#failures = isHealthy ? 1 : this.#failures + 1;
    if (why === "expired" || this.#failures >= FAILURES_BEFORE_RELIST) this.#resourceVersion = undefined;
    const asked = end.error instanceof ApiStatusError ? (end.error.retryAfterMs ?? 0) : 0;
    const waitMs = Math.max(backoffMs(this.#failures, backoff, random()), asked * (1 + random() / 4));
    observer.restarted({ why, ...end, waitMs });
    await sleep(clock, waitMs, signal);
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { source, target, clock, observer, pageLimit: limit = DEFAULT_PAGE_LIMIT } = this.#settings;
    const startedMs = clock.monotonicMs();
    const entries: Entry<T>[] = [];
    let continueToken: string | undefined;
    let version: string;
    do {
      const page: ListPage = await source.list({ continueToken, limit }, signal);
      for (const raw of page.items) {
        const entry = this.#read(raw);
        if (entry) entries.push(entry);
      }
      continueToken = page.continueToken;
      version = page.resourceVersion;
    } while (continueToken !== undefined);
    target.replace(entries, version);
    this.#resourceVersion = version;
    observer.listed({ objects: entries.length, seconds: (clock.monotonicMs() - startedMs) / 1000 });
    this.#isSynced = true;
    this.#synced.resolve();
    return version;
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    const { source, random, staleMs, clock } = this.#settings;
    const watchdog = new AbortController();
    let cancelWatchdog = () => {};
    const feed = () => {
      cancelWatchdog();
      cancelWatchdog = clock.setTimer(staleMs, () => watchdog.abort(new StaleWatch()));
    };
    feed();
    try {
      const bytes = await source.watch({
        resourceVersion,
        timeoutSeconds: Math.round(MIN_WATCH_SECONDS * (1 + random())),
        signal: AbortSignal.any([signal, watchdog.signal]),
      });
      for await (const events of watchEvents(bytes)) {
        feed();
        for (const event of events) this.#take(event);
      }
    } catch (error) {
      throw watchdog.signal.aborted ? watchdog.signal.reason : error;
    } finally {
      cancelWatchdog();
    }
  }

  #take(event: WatchEvent): void {
    if (event.type === "ERROR") throw errorOf(event.object);
    const { target } = this.#settings;
    if (event.type === "BOOKMARK") {
      this.#resourceVersion = Bookmark.parse(event.object).metadata.resourceVersion;
      target.advance(this.#resourceVersion);
      return;
    }
    const { metadata } = ObjectIdentity.parse(event.object);
    const key = keyOf(metadata);
    if (event.type === "DELETED") {
      target.watchedDelete(key, metadata.resourceVersion);
    } else if (target.knows(key, metadata.resourceVersion)) {
      target.advance(metadata.resourceVersion);
    } else {
      const entry = this.#read(event.object);
      // An object that cannot be read any more must not stay in the store as it was.
      if (entry) target.watched(entry);
      else target.watchedDelete(key, metadata.resourceVersion);
    }
    this.#resourceVersion = metadata.resourceVersion;
  }

  #read(raw: unknown): Entry<T> | undefined {
    try {
      return toEntry(raw, this.#settings.transform);
    } catch (error) {
      const identity = ObjectIdentity.safeParse(raw);
      const key = identity.success ? keyOf(identity.data.metadata) : "(unnamed)";
      this.#settings.observer.skipped({ key, error });
      return undefined;
    }
  }
}

class StaleWatch extends Error {
  override readonly name = "StaleWatch";
  override readonly message = "the watch has been silent for too long";
}

function keyOf({ name, namespace }: { name: string; namespace?: string | undefined }): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function errorOf(object: unknown): ApiStatusError {
  const { code, reason, message, details } = ErrorObject.parse(object);
  const seconds = details?.retryAfterSeconds;
  return new ApiStatusError({
    status: code,
    reason,
    message,
    retryAfterMs: seconds === undefined ? undefined : seconds * 1000,
  });
}

function reasonOf(error: unknown): RestartReason {
  if (error instanceof StaleWatch) return "stale";
  if (isStatus(error, 410)) return "expired";
  if (isStatus(error, 429)) return "throttled";
  return error instanceof ApiStatusError ? "server-error" : "broken";
}

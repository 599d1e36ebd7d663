/**
 * Asks Kubernetes' events why something of a job stands still. They are read one object at a time, seldom, and never
 * watched: a cluster has far more of them than objects, and the API server looks through all of them for each read.
 */
import * as z from "zod";
import {
  type Hindrance,
  hindranceOf,
  type Standstill,
  standstillsOf,
  type TimedEvent,
} from "../reconcile/failures/standstill.ts";
import type { JobSight } from "../reconcile/observed.ts";
import type { ApiClient } from "../runtime/api-client.ts";
import { resourcesIn } from "./resources.ts";

/** What was read of one object, and when it is to be read again. */
export interface AskedEvents {
  readonly events: readonly TimedEvent[];
  readonly dueMs: number;
  /** That time is its own: no other object is read then. */
  readonly hasTurn: boolean;
}

export interface Asked {
  readonly hindrance?: Hindrance | undefined;
  /** When there may be something new to be told. */
  readonly afterMs?: number | undefined;
}

export interface EventReader {
  /** @param remembered of what was read before; kept up to date. Never throws: without events there is less to tell */
  ask(sight: JobSight, remembered: RemembersEvents, nowMs: number): Promise<Asked>;
}

export interface RemembersEvents {
  /** By the uid of the Job or pod that stands still; undefined while nothing does. */
  events: Map<string, AskedEvents> | undefined;
}

export interface EventReaderDeps {
  readonly client: Pick<ApiClient, "list">;
  /** What has stood still for so long is asked about. */
  readonly patienceSeconds: number;
  /** The events could not be read; it is tried again. */
  readonly onUnread: (error: unknown) => void;
}

const AGAIN_MS = 30_000;
/** Between two reads, so that a quota that stops a thousand jobs does not become a thousand reads at once. */
const GAP_MS = 200;
/** Of one object; equal ones are counted together, so that there are few. */
const MAX_EVENTS = 100;

export function createEventReader({ client, patienceSeconds, onUnread }: EventReaderDeps): EventReader {
  let nextTurnMs = 0;

  function takeTurn(nowMs: number): number {
    const turnMs = Math.max(nowMs, nextTurnMs);
    nextTurnMs = turnMs + GAP_MS;
    return turnMs;
  }

  async function look(
    { uid }: Standstill,
    namespace: string,
    known: AskedEvents | undefined,
    nowMs: number,
  ): Promise<AskedEvents> {
    if (known && known.dueMs > nowMs) return known;
    const events = known?.events ?? [];
    if (!known?.hasTurn) {
      const turnMs = takeTurn(nowMs);
      if (turnMs > nowMs) return { events, dueMs: turnMs, hasTurn: true };
    }
    const dueMs = nowMs + AGAIN_MS;
    try {
      return { events: await readEvents(client, namespace, uid), dueMs, hasTurn: false };
    } catch (error) {
      onUnread(error);
      return { events, dueMs, hasTurn: false };
    }
  }

  return {
    async ask(sight, remembered, nowMs) {
      const standstills = standstillsOf(sight);
      if (standstills.length === 0) {
        remembered.events = undefined;
        return {};
      }
      const events = (remembered.events ??= new Map());
      const uids = new Set(standstills.map(({ uid }) => uid));
      for (const uid of events.keys()) if (!uids.has(uid)) events.delete(uid);
      let asked: Asked = {};
      for (const standstill of standstills) {
        const { uid, sinceMs } = standstill;
        const patienceMs = sinceMs + patienceSeconds * 1000 - nowMs;
        if (patienceMs > 0) {
          asked = merged(asked, { afterMs: patienceMs });
          continue;
        }
        const known = await look(standstill, sight.job.metadata.namespace, events.get(uid), nowMs);
        events.set(uid, known);
        const hindrance = hindranceOf(standstill, known.events, nowMs);
        asked = merged(asked, { hindrance, afterMs: known.dueMs - nowMs });
      }
      return asked;
    },
  };
}

function merged(a: Asked, b: Asked): Asked {
  const afterMs = Math.min(a.afterMs ?? Infinity, b.afterMs ?? Infinity);
  return { hindrance: a.hindrance ?? b.hindrance, ...(afterMs !== Infinity && { afterMs }) };
}

/** Old recorders fill the deprecated fields, new ones eventTime and series. */
const RawEvent = z.object({
  metadata: z.object({ creationTimestamp: z.string().nullish() }),
  reason: z.string(),
  note: z.string().default(""),
  eventTime: z.string().nullish(),
  deprecatedLastTimestamp: z.string().nullish(),
  series: z.object({ lastObservedTime: z.string().nullish() }).nullish(),
});

async function readEvents(
  client: Pick<ApiClient, "list">,
  namespace: string,
  uid: string,
): Promise<TimedEvent[]> {
  const { items } = await client.list(resourcesIn(namespace).events, {
    fieldSelector: `regarding.uid=${uid},type=Warning`,
    limit: MAX_EVENTS,
  });
  return items.flatMap((raw) => {
    const { data } = RawEvent.safeParse(raw);
    return data ? [{ reason: data.reason, message: data.note, lastSeenMs: lastSeenMs(data) }] : [];
  });
}

function lastSeenMs({ metadata, eventTime, deprecatedLastTimestamp, series }: z.infer<typeof RawEvent>) {
  const times = [metadata.creationTimestamp, eventTime, deprecatedLastTimestamp, series?.lastObservedTime];
  return Math.max(0, ...times.map((time) => Date.parse(time ?? "")).filter((ms) => !Number.isNaN(ms)));
}

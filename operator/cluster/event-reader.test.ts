import { expect, it } from "vitest";
import { aChild, anObserved, aPod, START_MS } from "../reconcile/testing.ts";
import { type RemembersEvents, createEventReader } from "./event-reader.ts";

const words = 'Error creating: pods "coffee-1-0-" is forbidden: exceeded quota: none, requested: pods=1';
const event = {
  metadata: { creationTimestamp: "2026-01-01T12:00:00Z" },
  reason: "FailedCreate",
  note: words,
  eventTime: null,
  deprecatedLastTimestamp: "2026-01-01T12:00:03Z",
};
const still = anObserved({ children: [aChild()] });

const nothingRemembered = (): RemembersEvents => ({ events: undefined });

function aReader(read: () => readonly unknown[] = () => [event]) {
  const asked: string[] = [];
  const unread: unknown[] = [];
  const reader = createEventReader({
    client: {
      list: async (_resource, { fieldSelector = "" }) => {
        asked.push(fieldSelector);
        return { items: read(), resourceVersion: "1", continueToken: undefined };
      },
    },
    patienceSeconds: 5,
    onUnread: (error) => unread.push(error),
  });
  const remembered = nothingRemembered();
  const ask = (seconds: number, sight = still, events = remembered) =>
    reader.ask(sight, events, START_MS + seconds * 1000);
  return { ask, asked, unread, remembered };
}

it("asks nothing before something has stood still for a while, and tells when that will be", async () => {
  const { ask, asked } = aReader();
  expect(await ask(0, anObserved({ children: [aChild({ pods: [aPod()] })] }))).toEqual({});
  expect(await ask(2)).toEqual({ afterMs: 3000 });
  expect(asked).toEqual([]);
});

it("asks for the events of the one object, and again only half a minute later", async () => {
  const { ask, asked } = aReader();
  const first = await ask(5);
  expect(first).toMatchObject({ hindrance: { class: "quota", uid: "child-1" }, afterMs: 30_000 });
  expect(await ask(20)).toEqual({ ...first, afterMs: 15_000 });
  expect(asked).toEqual(["regarding.uid=child-1,type=Warning"]);
  await ask(35);
  expect(asked).toHaveLength(2);
});

it("forgets what it was told once the pods are there", async () => {
  const { ask, remembered } = aReader();
  await ask(5);
  expect(await ask(8, anObserved({ children: [aChild({ pods: [aPod()] })] }))).toEqual({});
  expect(remembered.events).toBeUndefined();
});

it("asks for one object at a time when many stand still at once", async () => {
  const { ask, asked } = aReader();
  const of = (uid: string) => anObserved({ children: [aChild({ uid })] });
  const known = new Map([1, 2, 3].map((n) => [`job-${n}`, nothingRemembered()]));
  const waits = [];
  for (const [uid, events] of known) waits.push((await ask(5, of(uid), events)).afterMs);
  expect(waits).toEqual([30_000, 200, 400]);
  for (const [uid, events] of known) await ask(5.4, of(uid), events);
  expect(asked.map((one) => one.slice(0, 19))).toEqual([
    "regarding.uid=job-1",
    "regarding.uid=job-2",
    "regarding.uid=job-3",
  ]);
});

it("keeps what it knows when events cannot be read, and leaves out one that has another shape", async () => {
  let isAway = false;
  const { ask, unread } = aReader(() => {
    if (isAway) throw new Error("forbidden");
    return [{ reason: 7 }, event];
  });
  const { hindrance } = await ask(5);
  isAway = true;
  expect(await ask(35)).toEqual({ hindrance, afterMs: 30_000 });
  expect(unread).toHaveLength(1);
});

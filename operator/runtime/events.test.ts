import { expect, it } from "vitest";
import { createEventRecorder, type EventNote } from "./events.ts";
import { createFakeClock, FakeApi, silentLog } from "./testing.ts";

const regarding = { apiVersion: "opal.dev/v1", kind: "Thing", namespace: "n", name: "a", uid: "u-1" };
const note: EventNote = { type: "Normal", reason: "Started", action: "Start", note: "It has started." };

function aRecorder(clock = createFakeClock()) {
  const api = new FakeApi(clock);
  const recorder = createEventRecorder({
    client: api,
    clock,
    log: silentLog,
    controller: "opal.dev/test",
    instance: "me",
    windowSeconds: 600,
    countSeconds: 60,
  });
  return { clock, api, recorder };
}

it("writes an event once and counts its repeats on it", async () => {
  const { clock, api, recorder } = aRecorder();
  for (let n = 0; n < 5; n++) recorder.record(regarding, note);
  await clock.advance(61_000);
  recorder.record(regarding, note);
  await recorder.close();
  const [event, ...others] = api.all("events") as unknown as { reason: string; series: { count: number } }[];
  expect(others).toEqual([]);
  expect(event).toMatchObject({ reason: "Started", regarding, series: { count: 6 } });
});

it("writes what differs, and the same again after the window", async () => {
  const { clock, api, recorder } = aRecorder();
  recorder.record(regarding, note);
  recorder.record({ ...regarding, uid: "u-2" }, note);
  recorder.record(regarding, { ...note, note: "Other words." });
  await clock.advance(601_000);
  recorder.record(regarding, note);
  await recorder.close();
  expect(api.all("events")).toHaveLength(4);
});

it("writes a count that is still owed when it closes", async () => {
  const { api, recorder } = aRecorder();
  for (let n = 0; n < 3; n++) recorder.record(regarding, note);
  await recorder.close();
  expect(api.all("events")).toMatchObject([{ series: { count: 3 } }]);
});

it("counts events on one that differ from many others in their words only", async () => {
  const { api, recorder } = aRecorder();
  for (let n = 1; n <= 100; n++) recorder.record(regarding, { ...note, note: `Photo ${n} failed.` });
  recorder.record(regarding, { ...note, note: "Photo 1 failed." });
  recorder.record({ ...regarding, uid: "u-2" }, note);
  await recorder.close();
  const events = api.all("events") as unknown as { note: string; series?: { count: number } }[];
  expect(events).toHaveLength(12);
  const combined = events.filter((event) => event.note.startsWith("(combined from similar events) "));
  expect(combined).toMatchObject([{ series: { count: 90 } }]);
});

it("names events so that they sort in the order in which they happened, though the clock goes back", async () => {
  const fake = createFakeClock();
  let setBackMs = 0;
  const { api, recorder } = aRecorder({
    ...fake,
    now: () => new Date(fake.now().getTime() - setBackMs),
  });
  const happened = ["first", "in the same millisecond", "later", "by a clock set back"];
  const tell = (words: string | undefined) => recorder.record(regarding, { ...note, note: words ?? "" });
  tell(happened[0]);
  tell(happened[1]);
  await fake.advance(20_000);
  tell(happened[2]);
  setBackMs = 5000;
  tell(happened[3]);
  await recorder.close();
  const events = api.all("events") as unknown as { note: string; metadata: { name: string } }[];
  const byName = [...events].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1));
  expect(byName.map((event) => event.note)).toEqual(happened);
});

it("keeps to the API server's limits of names and notes", async () => {
  const { api, recorder } = aRecorder();
  recorder.record(
    { ...regarding, name: `${"a".repeat(235)}.${"b".repeat(17)}` },
    { ...note, note: "ä".repeat(1000) },
  );
  await recorder.close();
  const [event] = api.all("events") as unknown as { note: string; metadata: { name: string } }[];
  expect(event?.note).toBe("ä".repeat(512));
  expect(event?.metadata.name).toMatch(/^a{223}\.[0-9a-f]{29}$/);
});

it("does not fail the caller when events cannot be written", async () => {
  const clock = createFakeClock();
  const refuse = () => Promise.reject(new Error("forbidden"));
  const recorder = createEventRecorder({
    client: { create: refuse, patch: refuse },
    clock,
    log: silentLog,
    controller: "c",
    instance: "i",
    windowSeconds: 1,
    countSeconds: 1,
  });
  recorder.record(regarding, note);
  await expect(recorder.close()).resolves.toBeUndefined();
});

import { expect, it } from "vitest";
import { createEventRecorder, type EventNote } from "./events.ts";
import { createFakeClock, FakeApi, silentLog } from "./testing.ts";

const regarding = { apiVersion: "opal.dev/v1", kind: "Thing", namespace: "n", name: "a", uid: "u-1" };
const note: EventNote = { type: "Normal", reason: "Started", action: "Start", note: "It has started." };

function aRecorder() {
  const clock = createFakeClock();
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

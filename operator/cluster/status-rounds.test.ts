import { getEventListeners } from "node:events";
import { expect, it } from "vitest";
import { createFakeClock, silentLog } from "../runtime/testing.ts";
import { runStatusRounds } from "./status-rounds.ts";

it("goes round every few seconds, also after a failure, until told to stop, and leaves nothing behind", async () => {
  const clock = createFakeClock();
  const stop = new AbortController();
  let rounds = 0;
  const round = () => (++rounds === 2 ? Promise.reject(new Error("503")) : Promise.resolve());
  const running = runStatusRounds({ round, clock, log: silentLog, intervalSeconds: 5 }, stop.signal);
  await clock.advance(100_000);
  expect(rounds).toBe(21);
  expect(getEventListeners(stop.signal, "abort")).toHaveLength(1);
  stop.abort();
  await running;
  expect(clock.timers).toBe(0);
});

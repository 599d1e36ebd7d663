import { expect, it } from "vitest";
import { createFakeClock } from "./testing.ts";
import { createTurnLine } from "./turn-line.ts";

function aLine({ perSecond = 1, burst = 2 } = {}) {
  const clock = createFakeClock();
  const told: string[] = [];
  const line = createTurnLine({ perSecond, burst, clock, onTurn: (key) => told.push(key) });
  return { clock, told, line };
}
const NOT_SOON = { isSoon: false };

it("gives turns at once as long as there are some", () => {
  const { line, clock, told } = aLine();
  expect(["a", "b", "c"].map((key) => line.take(key, NOT_SOON))).toEqual([true, true, false]);
  expect({ told, timers: clock.timers }).toEqual({ told: [], timers: 1 });
});

it("then tells one after another, at its rate, that it is their turn, and each takes it once", async () => {
  const { line, clock, told } = aLine({ perSecond: 2 });
  for (const key of ["a", "b", "c", "d", "e"]) line.take(key, NOT_SOON);
  await clock.advance(500);
  expect(told).toEqual(["c"]);
  expect(line.take("c", NOT_SOON)).toBe(true);
  expect(line.take("c", NOT_SOON)).toBe(false);
  await clock.advance(1500);
  expect(told).toEqual(["c", "d", "e", "c"]);
});

it("lets those go first that are soon to have their turn, also when they stood in line already", async () => {
  const { line, clock, told } = aLine();
  for (const key of ["a", "b", "c", "d", "e"]) line.take(key, NOT_SOON);
  line.take("e", { isSoon: true });
  line.take("e", NOT_SOON);
  await clock.advance(3000);
  expect(told).toEqual(["e", "c", "d"]);
});

it("loses no turn by those who leave", async () => {
  const { line, clock, told } = aLine();
  for (const key of ["a", "b", "c", "d", "e"]) line.take(key, NOT_SOON);
  line.leave("c");
  await clock.advance(1000);
  expect(told).toEqual(["d"]);
  line.leave("d");
  await clock.advance(0);
  await clock.advance(1000);
  expect(told).toEqual(["d", "e"]);
  expect(line.take("new", NOT_SOON)).toBe(true);
});

it("saves up no more than its burst", async () => {
  const { line, clock } = aLine();
  await clock.advance(60_000);
  expect(["a", "b", "c"].map((key) => line.take(key, NOT_SOON))).toEqual([true, true, false]);
});

it("tells nobody once it is closed", async () => {
  const { line, clock, told } = aLine();
  for (const key of ["a", "b", "c"]) line.take(key, NOT_SOON);
  line.close();
  await clock.advance(60_000);
  expect({ told, timers: clock.timers }).toEqual({ told: [], timers: 0 });
});

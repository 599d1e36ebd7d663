import { expect, it } from "vitest";
import { createExpectations } from "./expectations.ts";
import { createFakeClock } from "./testing.ts";

it("expects until it is settled, or until its time is over", async () => {
  const clock = createFakeClock();
  const expectations = createExpectations<number>({ clock, limitMs: 30_000 });
  expectations.expect("seen", 1);
  expectations.expect("lost", 2);
  expectations.settle("seen");
  await clock.advance(29_000);
  expect([expectations.of("seen"), expectations.of("lost")]).toEqual([undefined, 2]);
  await clock.advance(1000);
  expect(expectations.of("lost")).toBeUndefined();
});

it("counts the time from the latest expectation", async () => {
  const clock = createFakeClock();
  const expectations = createExpectations<number>({ clock, limitMs: 30_000 });
  expectations.expect("a", 1);
  await clock.advance(20_000);
  expectations.expect("a", 2);
  await clock.advance(20_000);
  expect(expectations.of("a")).toBe(2);
});

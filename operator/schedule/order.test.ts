import { expect, it } from "vitest";
import { compareJobs } from "./order.ts";
import { aJob, NOW_MS } from "./testing.ts";

it.each([
  ["a higher priority", { priority: 2 }, { priority: 1 }],
  ["an earlier deadline", { deadlineMs: NOW_MS }, { deadlineMs: NOW_MS + 1 }],
  ["a deadline at all", { deadlineMs: NOW_MS }, {}],
  ["an earlier beginning, whatever the names", { createdAtMs: NOW_MS - 1000, key: "shop/z" }, {}],
  ["among those of one second, the earlier name", { key: "shop/a", uid: "z" }, { key: "shop/b", uid: "a" }],
  ["among namesakes, the lower uid", { key: "shop/a", uid: "a" }, { key: "shop/a", uid: "b" }],
])("goes first: %s", (_what, first, second) => {
  const shared = { createdAtMs: NOW_MS, key: "shop/m" };
  const [a, b] = [aJob("m", { ...shared, ...first }), aJob("m", { ...shared, ...second })];
  expect(compareJobs(a, b)).toBeLessThan(0);
  expect(compareJobs(b, a)).toBeGreaterThan(0);
});

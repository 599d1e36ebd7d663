import { expect, it } from "vitest";
import { isRecyclingDue } from "./memory.ts";

it.each([
  { name: "below the mark", heldMiB: 2900, firstMiB: 1000, due: false },
  { name: "above the mark and grown", heldMiB: 3100, firstMiB: 1000, due: true },
  { name: "above a mark that the models alone exceed", heldMiB: 3300, firstMiB: 3200, due: false },
])("$name: $due", ({ heldMiB, firstMiB, due }) => {
  expect(isRecyclingDue(heldMiB, { highWaterMiB: 3072, firstMiB })).toBe(due);
});

import { expect, it } from "vitest";
import { queueOf } from "./opalqueue.ts";

it.each([
  { name: "the one it names", queue: "rush", exists: ["rush", "shop", "default"], want: "rush" },
  { name: "the one it names, though it is not there yet", queue: "rush", exists: ["shop"], want: "rush" },
  { name: "its tenant's", exists: ["shop", "default"], want: "shop" },
  { name: "the default when its tenant has none", exists: ["default"], want: "default" },
  { name: "none when there is none", exists: ["other"], want: undefined },
])("a job's queue is $name", ({ queue, exists, want }) => {
  expect(queueOf({ tenant: "shop", queue }, (name) => exists.includes(name))).toBe(want);
});

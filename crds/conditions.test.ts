import { expect, test } from "vitest";
import { isFinished, phaseOf } from "./conditions.ts";

const on = (...types: string[]) => types.map((type) => ({ type, status: "True" }));

test.each([
  { conditions: on(), phase: "Pending", finished: false },
  { conditions: on("Queued"), phase: "Queued", finished: false },
  { conditions: on("Admitted"), phase: "Starting", finished: false },
  { conditions: on("Admitted", "Running"), phase: "Running", finished: false },
  { conditions: on("Suspended"), phase: "Suspended", finished: false },
  { conditions: on("Running", "Complete"), phase: "Complete", finished: true },
  { conditions: on("Failed"), phase: "Failed", finished: true },
  { conditions: [{ type: "Complete", status: "False" }], phase: "Pending", finished: false },
])("$conditions is $phase", ({ conditions, phase, finished }) => {
  expect(phaseOf(conditions)).toBe(phase);
  expect(isFinished(conditions)).toBe(finished);
});

import { Counter, type Registry } from "prom-client";
import type { PlanTrouble } from "./cluster/plan-maker.ts";
import type { Log } from "./runtime/log.ts";

/** Says in the log and counts what keeps plans from being made; the counts begin at 0, so that alerts see a first one. */
export function createTroubleTeller(registry: Registry, log: Log): (trouble: PlanTrouble) => void {
  const failures = new Counter({
    name: "opal_plan_failures_total",
    help: "Plans that could not be made: of changes (step), because of a job (job), at all (plan).",
    labelNames: ["what"],
    registers: [registry],
  });
  for (const what of ["step", "job", "plan"]) failures.inc({ what }, 0);
  return (trouble) => {
    failures.inc({ what: trouble.what });
    const { error } = trouble;
    switch (trouble.what) {
      case "step":
        return log.error({ error }, "plan of changes failed: the whole world is planned anew");
      case "job":
        return log.error({ key: trouble.key, error }, "OpalJob left out: no plan can be made with it");
      case "plan":
        return log.error({ error, waitMs: Math.round(trouble.waitMs) }, "no plan can be made");
      default:
        return trouble satisfies never;
    }
  };
}

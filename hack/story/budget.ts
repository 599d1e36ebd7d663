import type { OpalJobStatus } from "#crds/opaljob.ts";
import type { OpalQueueStatus } from "#crds/opalqueue.ts";
import type { Stage } from "./stage.ts";
import type { Teller } from "./teller.ts";

export interface BudgetFacts {
  /** Status of the job that had a budget of its own, when it was stopped. */
  readonly own: OpalJobStatus;
  /** Status of the queue when its budget was used up. */
  readonly queue: OpalQueueStatus;
  readonly waitingReason: string;
}

/** A queue's budget is used up, and a job's own. */
export async function playBudget(stage: Stage, teller: Teller): Promise<BudgetFacts> {
  teller.heading(
    "Budgets are used up",
    "The queue trial has 10 GPU-seconds a day; the job posters has 6 of its own.",
  );
  await stage.apply("budget.yaml");
  const own = await stage.until("the job's own budget stops it", async () => {
    const { status } = await stage.job("posters");
    return status.completionTime !== undefined && status;
  });
  const queue = await stage.until("the queue's budget is used up", async () => {
    const { status } = await stage.queue("trial");
    return status.conditions?.[0]?.reason === "BudgetExhausted" && status.admitted === 0 && status;
  });
  const waiting = await stage.until("its jobs wait for the next window", async () => {
    const { status } = await stage.job("tables");
    const queued = status.conditions?.find(({ type, status }) => type === "Queued" && status === "True");
    return queued?.reason === "QueueBudgetExhausted" && queued;
  });
  await teller.show(
    "get oj -o wide",
    "posters has failed with what it had done; those of trial wait for tomorrow",
  );
  await teller.show(
    "describe oj posters",
    "Failed, with the reason BudgetExhausted; what is done stays done",
  );
  await teller.show("get opalqueue trial", "BUDGETLEFT and STATE");
  await teller.show("describe opalqueue trial", "the condition Active, and the account of the window");
  return { own, queue, waitingReason: waiting.reason };
}

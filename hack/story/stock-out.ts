import type { Stage } from "./stage.ts";
import type { Teller } from "./teller.ts";

export interface StockOutFacts {
  /** Pools in the order in which the job held GPUs of them, one attempt each. */
  readonly pools: readonly string[];
  readonly attempts: number;
  readonly cooldownSeconds: number;
  readonly done: number;
  readonly total: number;
}

/** The cheapest pool has no nodes: it is left, remembered, and tried again. */
export async function playStockOut(stage: Stage, teller: Teller): Promise<StockOutFacts> {
  teller.heading(
    "A pool is out of stock",
    "a100-spot is the cheapest that lamps can use, and has no node. Its startTimeoutSeconds is 3, its cooldown 8.",
  );
  await stage.apply("stock-out.yaml");
  const first = await poolThat(stage, "it gets GPUs of the cheap pool", ({ pool }) => pool === "a100-spot");
  await teller.show("get pods -l opal.dev/job=lamps", "Pending: there is no node for them");
  const cooldownSeconds = await stage.until("the pool says that it is out of stock", async () => {
    const { conditions, stockOut } = (await stage.pool("a100-spot")).status;
    const { until, lastAt } = stockOut ?? {};
    if (conditions?.[0]?.reason !== "StockedOut" || until === undefined || lastAt === undefined) return false;
    return (Date.parse(until) - Date.parse(lastAt)) / 1000;
  });
  await teller.show("get gpupool -o wide", "STATE of a100-spot, and until when");
  await teller.show("describe gpupool a100-spot", "the condition Available, and what is remembered of it");
  const second = await poolThat(stage, "it runs elsewhere", ({ pool, runs }) => runs && pool !== first);
  await teller.show("get oj lamps", "POOL: one step up the ladder");
  const node = { name: "a100-spot-0", gpuClass: "a100", gpus: 2, spot: true };
  await stage.cluster.control("add-node", node.name, { node });
  teller.say("Azure has A100s on spot machines again, and the cooldown passes");
  const third = await poolThat(stage, "it is back", ({ pool, runs }) => runs && pool === first);
  await teller.show("get gpupool", "a100-spot takes jobs again");
  await teller.show(
    "describe oj lamps",
    "the events tell the way, pool after pool, with what was unfinished",
  );
  const { status } = await stage.until("lamps is done", async () => {
    const job = await stage.job("lamps");
    return job.status.completionTime !== undefined && job;
  });
  const { done = 0, total = 0 } = status.items ?? {};
  return { pools: [first, second, third], attempts: status.attempts ?? 0, cooldownSeconds, done, total };
}

/** The pool of lamps once it is as wanted. */
function poolThat(
  stage: Stage,
  what: string,
  isIt: (now: { pool: string; runs: boolean }) => boolean,
): Promise<string> {
  return stage.until(`lamps: ${what}`, async () => {
    const { assignment, phase } = (await stage.job("lamps")).status;
    return assignment && isIt({ pool: assignment.pool, runs: phase === "Running" }) && assignment.pool;
  });
}

/** What the story tells is so. Its scenes use other pools each, so they are played at the same time here. */
import { afterAll, beforeAll, expect, test } from "vitest";
import { playBudget } from "./budget.ts";
import { playShares } from "./shares.ts";
import { playSpot } from "./spot.ts";
import { type Stage, startStage } from "./stage.ts";
import { playStockOut } from "./stock-out.ts";
import { createJsonTeller } from "./teller.ts";

let stage: Stage;
const silent = createJsonTeller({ write() {} });
beforeAll(async () => {
  stage = await startStage({ secondsPerPicture: 1 });
});
afterAll(() => stage.stop());

test.concurrent("two tenants with weights 1 and 3 have GPUs in that proportion", async () => {
  const { before, linen, ceramics } = await playShares(stage, silent);
  expect(before).toBe(8);
  expect(ceramics / linen).toBeGreaterThanOrEqual(2.5);
  expect(ceramics / linen).toBeLessThanOrEqual(3.5);
});

test.concurrent(
  "a reclaimed spot machine costs no item and no retry; budgets stop what is beyond them",
  async () => {
    const spot = await playSpot(stage, silent);
    expect(spot.doneBefore).toBeLessThan(spot.total);
    expect(spot).toMatchObject({ done: 16, failed: 0, attempts: 1 });
    expect(spot.wastedGpuSeconds).toBeLessThan(1);

    const { own, queue, waitingReason } = await playBudget(stage, silent);
    expect(own.conditions).toContainEqual(
      expect.objectContaining({ type: "Failed", status: "True", reason: "BudgetExhausted" }),
    );
    expect(own.items?.done).toBeGreaterThan(0);
    expect(own.usage?.gpuSeconds).toBeGreaterThanOrEqual(6);
    expect(own.usage?.gpuSeconds).toBeLessThan(8);
    expect(queue.conditions).toContainEqual(
      expect.objectContaining({ type: "Active", status: "False", reason: "BudgetExhausted" }),
    );
    expect(queue.budgetLeft).toBe(0);
    expect(waitingReason).toBe("QueueBudgetExhausted");
  },
);

test.concurrent("a pool without nodes is left, remembered, and tried again", async () => {
  expect(await playStockOut(stage, silent)).toEqual({
    pools: ["a100-spot", "a100", "a100-spot"],
    attempts: 3,
    cooldownSeconds: 8,
    done: 40,
    total: 40,
  });
});

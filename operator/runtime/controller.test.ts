import { afterEach, describe, expect, it } from "vitest";
import { type PassResult, runController } from "./controller.ts";
import { ApiStatusError, LeadershipLostError, NoAnswerError, StaleError, TerminalError } from "./errors.ts";
import type { ReconcileResult } from "./metrics.ts";
import { createFakeClock, silentLog } from "./testing.ts";
import { createWorkQueue, type WorkQueue } from "./work-queue.ts";

let queue: WorkQueue;
let working: Promise<void>;
afterEach(async () => {
  await queue.close();
  await working;
});

/** A controller whose passes over any key do what the test says, one after another; the last one stays. */
function aController(...passes: (() => Promise<PassResult>)[]) {
  const clock = createFakeClock();
  const startedMs: number[] = [];
  const results: ReconcileResult[] = [];
  queue = createWorkQueue({ clock, random: () => 0, backoff: { baseMs: 100, maxMs: 30_000 } });
  working = runController({
    name: "test",
    queue,
    reconcile() {
      startedMs.push(clock.monotonicMs());
      return (passes.length > 1 ? passes.shift() : passes[0])!();
    },
    workers: 1,
    metrics: { reconciled: (_controller, result) => results.push(result), workers() {} },
    clock,
    log: silentLog,
  });
  return { clock, startedMs, results };
}

const done = () => Promise.resolve({});
const fails = (why: Error) => () => Promise.reject(why);
const status = (code: number, retryAfterMs?: number) =>
  new ApiStatusError({ status: code, reason: "", message: "", retryAfterMs });
const gaps = (times: number[]) => times.slice(1).map((time, n) => time - (times[n] ?? 0));

describe("the controller", () => {
  it("passes over a key once, and again when the pass asks for it", async () => {
    const { clock, startedMs, results } = aController(() => Promise.resolve({ afterMs: 500 }), done);
    queue.add("a");
    await clock.advance(10_000);
    expect(startedMs).toEqual([0, 500]);
    expect(results).toEqual(["requeue_after", "success"]);
  });

  it("backs off from a failing key, longer each time", async () => {
    const { clock, startedMs } = aController(fails(new Error("odd")));
    queue.add("a");
    await clock.advance(40_000);
    expect(gaps(startedMs)).toEqual([50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800]);
  });

  it.each([
    ["does not answer", new NoAnswerError("ECONNREFUSED")],
    ["is in trouble", status(503)],
    ["throttles", status(429)],
  ])("looks again soon after any outage when the API server %s", async (_what, error) => {
    const { clock, startedMs } = aController(fails(error));
    queue.add("a");
    await clock.advance(60_000);
    expect(Math.max(...gaps(startedMs))).toBe(3000);
  });

  it("waits as long as an overloaded API server asks", async () => {
    const { clock, startedMs } = aController(fails(status(429, 7000)), done);
    queue.add("a");
    await clock.advance(10_000);
    expect(startedMs).toEqual([0, 7000]);
  });

  it.each([
    ["stale", new StaleError("read"), 2],
    ["stale", new LeadershipLostError("deposed"), 2],
    ["terminal_error", new TerminalError("Odd", "never works"), 1],
    ["error", new Error("odd"), 2],
  ] as const)("counts %s", async (result, error, passes) => {
    const { clock, startedMs, results } = aController(fails(error), done);
    queue.add("a");
    await clock.advance(1000);
    expect(results[0]).toBe(result);
    expect(startedMs).toHaveLength(passes);
  });

  it("finishes the pass in hand before it ends", async () => {
    const pass = Promise.withResolvers<PassResult>();
    const { clock } = aController(() => pass.promise);
    queue.add("a");
    await clock.advance(0);
    let isOver = false;
    void working.then(() => (isOver = true));
    const closing = queue.close();
    await clock.advance(100);
    expect(isOver).toBe(false);
    pass.resolve({});
    await closing;
    await working;
  });
});

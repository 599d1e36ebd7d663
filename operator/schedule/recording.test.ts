import { describe, expect, it } from "vitest";
import { parseDecision, recordDecision, replayDecision } from "./recording.ts";
import { schedule } from "./scheduler.ts";
import { NOW_MS, aJob, aQueue, aRunningJob, aWorld } from "./testing.ts";

const world = aWorld({
  queues: [aQueue("default", { usage: [{ gpuClass: "t4", gpuSeconds: 0.1 + 0.2, atMs: NOW_MS - 1 }] })],
  jobs: [aRunningJob("r", { pool: "t4", gpus: 7 }), aJob("gang", { minGpus: 4, maxGpus: 4 }), aJob("small")],
});
const line = recordDecision(world, schedule(world, NOW_MS));

describe("a recorded decision", () => {
  it("is made again bit for bit", () => {
    expect(replayDecision(parseDecision(line))).toBeUndefined();
  });

  it("says where another plan first differs", () => {
    const recorded = parseDecision(line);
    const tampered = { ...recorded, plan: { ...recorded.plan, wakeAtMs: 1 } };
    expect(replayDecision(tampered)).toMatchObject({ path: "plan.wakeAtMs", recorded: 1 });
  });

  it.each([
    ["is no JSON", "{", /not a line of JSON/],
    ["is something else", '{"version":2}', /not a recorded decision/],
    ["was changed", line.replace('"maxGpus":8', '"maxGpus":9'), /does not match its digest/],
  ])("is refused when it %s", (_, text, why) => {
    expect(() => parseDecision(text)).toThrow(why);
  });
});

import { describe, expect, it } from "vitest";
import { culpritsIn } from "./culprits.ts";
import { aJob, aPool, aQueue, aWorld, NOW_MS } from "./testing.ts";
import type { JobState, World } from "./world.ts";

const sound = (from: number, to: number): JobState[] =>
  Array.from({ length: to - from }, (_, n) => aJob(`job-${String(from + n).padStart(3, "0")}`));

/** With a value that no check has stopped on its way here. */
const broken = <T extends object>(whole: T, field: keyof T): T =>
  Object.assign({ ...whole }, { [field]: null });

const culprits = (world: Partial<World>) => culpritsIn(aWorld(world), NOW_MS).map(({ key }) => key);

describe("the jobs that keep a plan from being made", () => {
  it("are found among many", () => {
    const bad = [broken(aJob("bad"), "classes"), broken(aJob("worse"), "classes")];
    const jobs = [...sound(0, 70), ...bad.slice(0, 1), ...sound(70, 90), ...bad.slice(1), ...sound(90, 99)];
    expect(culprits({ jobs })).toEqual(["shop/bad", "shop/worse"]);
  });

  it("are the second of two that only fail together", () => {
    const jobs = [...sound(0, 5), aJob("twin"), ...sound(5, 9), aJob("twin", { key: "shop/other" })];
    expect(culprits({ jobs })).toEqual(["shop/other"]);
  });

  it("are none when all is well, and none when a pool or a queue is to blame", () => {
    const jobs = sound(0, 9);
    expect(culprits({ jobs })).toEqual([]);
    expect(culprits({ jobs, pools: [broken(aPool("t4"), "secondsPerImage")] })).toEqual([]);
    expect(culprits({ jobs, queues: [broken(aQueue("default"), "quotas")] })).toEqual([]);
  });
});

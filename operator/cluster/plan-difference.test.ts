import { describe, expect, it } from "vitest";
import { schedule } from "../schedule/scheduler.ts";
import { NOW_MS, aJob, aPool, aRunningJob, aWorld } from "../schedule/testing.ts";
import type { JobState, World } from "../schedule/world.ts";
import { createPlanComparer } from "./plan-difference.ts";

const MANY = 600;

/** What is told of worlds that follow one another, in short: `shop/a!` is pressing. */
function tellingOf(...worlds: readonly World[]): string[][] {
  const comparer = createPlanComparer();
  let before = new Map<string, JobState>();
  return worlds.map((world) => {
    const now = new Map(world.jobs.map((job) => [job.uid, job]));
    const changed = [...now].filter(([uid, job]) => before.get(uid) !== job).map(([uid]) => uid);
    const gone = [...before.keys()].filter((uid) => !now.has(uid));
    before = now;
    const keys = new Map(world.jobs.map(({ uid, key }) => [uid, key]));
    return comparer
      .differences(schedule(world, NOW_MS), keys, { changed, gone })
      .map(({ key, isPressing }) => `${key.replace("shop/", "")}${isPressing ? "!" : ""}`)
      .sort();
  });
}

const withJobs = (...jobs: JobState[]) => aWorld({ pools: [aPool("t4", { maxGpus: 1 })], jobs });
const holder = aRunningJob("holder", { pool: "t4", gpus: 1 });
const waiting = aJob("waiting");

describe("after a plan", () => {
  it("every new job is told, and nobody again when nothing has changed", () => {
    const world = withJobs(holder, waiting);
    expect(tellingOf(world, world)).toEqual([["holder!", "waiting!"], []]);
  });

  it("who gets GPUs or loses them is told at once", () => {
    const urgent = aJob("urgent", { priority: 9 });
    expect(tellingOf(withJobs(holder, waiting), withJobs(waiting))).toEqual([
      ["holder!", "waiting!"],
      ["waiting!"],
    ]);
    expect(tellingOf(withJobs(holder), withJobs(holder, urgent))[1]).toEqual(["holder!", "urgent!"]);
  });

  it("who only moves up by a place is told some time", () => {
    const [a, b, c] = [aJob("a"), aJob("b"), aJob("c")];
    expect(tellingOf(withJobs(holder, a, b, c), withJobs(holder, a, c))[1]).toEqual(["c"]);
  });

  it("who moves among the first of its queue is told apart from who moves behind them", () => {
    const jobs = ["a", "b", "c", "d", "e"].map((name) => aJob(name));
    const [, ...left] = jobs;
    const comparer = createPlanComparer();
    const told = [jobs, left].map((now, at) => {
      const world = withJobs(holder, ...now);
      const keys = new Map(world.jobs.map(({ uid, key }) => [uid, key]));
      const news = { changed: at === 0 ? keys.keys() : [], gone: at === 0 ? [] : ["a"] };
      return comparer.differences(schedule(world, NOW_MS), keys, news);
    });
    const near = told[1]?.map(({ key, isNearHead }) => `${key} ${isNearHead ? "near" : "far"}`);
    expect(near).toEqual(["shop/b near", "shop/c near", "shop/d near", "shop/e far"]);
  });

  it("a job that comes back under its key is a new one", () => {
    const again = { ...aJob("again"), key: waiting.key };
    expect(tellingOf(withJobs(holder, waiting), withJobs(holder, again))[1]).toEqual(["waiting!"]);
  });
});

describe("among very many jobs", () => {
  const many = Array.from({ length: MANY }, (_, n) => aJob(`many-${String(n).padStart(4, "0")}`));

  it("only those that are new, or get GPUs or lose them, are told", () => {
    const [first, ...others] = many;
    const [, arrival, end] = tellingOf(
      withJobs(holder, ...many),
      withJobs(holder, ...many, waiting),
      withJobs(...many, waiting),
    );
    expect(arrival).toEqual(["waiting!"]);
    expect(end).toEqual([`${first?.uid}!`]);
    expect(others).toHaveLength(MANY - 1);
  });

  it("nobody is told when they become so many, and nobody pressingly when they are few again", () => {
    const few = many.slice(0, 400);
    const [, crowded, lonely] = tellingOf(
      withJobs(holder, ...few),
      withJobs(holder, ...many),
      withJobs(holder, ...few),
    );
    expect(crowded).toEqual(many.slice(400).map(({ uid }) => `${uid}!`));
    expect(lonely?.filter((one) => one.endsWith("!"))).toEqual([]);
  });
});

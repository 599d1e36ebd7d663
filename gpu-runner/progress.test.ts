import { afterEach, beforeEach, expect, it, vi } from "vitest";
import type { ShardProgress } from "#crds/runner-report.ts";
import { createProgress } from "./progress.ts";

beforeEach(() => vi.useFakeTimers());
afterEach(() => vi.useRealTimers());

const state = (done: string): ShardProgress => ({
  v: 1,
  done,
  failed: "",
  stages: { segment: 0, place: 0, upscale: 0 },
  gpuSeconds: 0,
});

function recorded(publish: (state: ShardProgress) => Promise<void> = async () => undefined) {
  const published: string[] = [];
  const failures: unknown[] = [];
  const progress = createProgress({
    publish: (now) => {
      published.push(now.done);
      return publish(now);
    },
    minIntervalMillis: 1000,
    onFailure: (error) => failures.push(error),
  });
  return { progress, published, failures };
}

it("publishes at once, then at most once an interval, the newest state winning", async () => {
  const { progress, published } = recorded();
  for (const done of ["0", "0-1", "0-2"]) progress.update(state(done));
  await vi.advanceTimersByTimeAsync(999);
  expect(published).toEqual(["0-2"]);
  progress.update(state("0-3"));
  progress.update(state("0-4"));
  await vi.advanceTimersByTimeAsync(1);
  expect(published).toEqual(["0-2", "0-4"]);
  await vi.advanceTimersByTimeAsync(5000);
  expect(published).toHaveLength(2);
});

it("publishes the last state when it is flushed, without waiting", async () => {
  const { progress, published } = recorded();
  progress.update(state("0"));
  await vi.advanceTimersByTimeAsync(10);
  progress.update(state("0-1"));
  await progress.flush();
  expect(published).toEqual(["0", "0-1"]);
});

it("goes on after failures and tells of a row of them once", async () => {
  let isDown = true;
  const { progress, published, failures } = recorded(() =>
    isDown ? Promise.reject(new Error("down")) : Promise.resolve(),
  );
  for (const done of ["0", "1", "2"]) {
    progress.update(state(done));
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(failures).toHaveLength(1);
  isDown = false;
  progress.update(state("3"));
  await progress.flush();
  expect(published.at(-1)).toBe("3");
});

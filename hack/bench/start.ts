/** bench:start: how long it takes until everything is up, cold, after set-up. */
import { launchOpal } from "../launch/launch.ts";
import { median, reportLines } from "./report.ts";

const ROUNDS = 3;
const GOAL_SECONDS = 12;

const seconds: number[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  const started = performance.now();
  const opal = await launchOpal();
  seconds.push((performance.now() - started) / 1000);
  console.error(`round ${round} of ${ROUNDS}: ${seconds.at(-1)?.toFixed(1)} s`);
  await opal.stop();
}

const value = median(seconds);
const figures = {
  stack_ready_seconds: value,
  stack_ready_min_seconds: Math.min(...seconds),
  stack_ready_max_seconds: Math.max(...seconds),
  rounds: ROUNDS,
};
const goals = [{ name: "stack_ready_seconds", value, goal: GOAL_SECONDS, better: "lower" }] as const;
for (const line of reportLines({ bench: "start", figures, goals }, process.argv.includes("--json")))
  console.log(line);

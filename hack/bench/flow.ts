/**
 * bench:flow: from many objects to many ends, with everything between them real. First 300 one-picture OpalJobs on
 * eight simulated GPUs, and beside them, each on a fresh cluster, 300 plain Jobs and 300 Jobs through Kueue's full
 * manager; the program in their pods is the same, and does nothing. Then 2,000 ten-picture OpalJobs on fake nodes.
 */
import { cacheDir } from "../cache/cache-dir.ts";
import { startReaper } from "../processes/reaper.ts";
import { runCommandLine } from "../terminal/command-line.ts";
import { createSteps } from "../terminal/steps.ts";
import { type FlowArguments, parseFlowArguments, USAGE } from "./flow/arguments.ts";
import { runLargeJobs } from "./flow/large-jobs.ts";
import { runSmallJobs } from "./flow/small-jobs.ts";
import { ensureKueue, USUAL_KUEUE_BUILD_TIME } from "./kueue/peer.ts";
import { ensureKwok, USUAL_KWOK_BUILD_TIME } from "./kwok/peer.ts";
import { type BenchResult, reportLines } from "./report.ts";

async function bench({ jobs, largeJobs, kueueRounds, ...rest }: FlowArguments): Promise<BenchResult> {
  const steps = createSteps(process.stderr, () => performance.now());
  const cache = cacheDir(process.env);
  const print = (line: string) => console.log(line);
  const reaper = startReaper({ env: process.env });
  try {
    const figures: Record<string, number> = {};
    const goals: BenchResult["goals"][number][] = [];
    if (jobs > 0) {
      const kueue =
        kueueRounds === 0
          ? undefined
          : await steps.runIfNeeded("Kueue: building it", USUAL_KUEUE_BUILD_TIME, (onProgress) =>
              ensureKueue({ cache, onProgress }),
            );
      const small = await runSmallJobs({ jobs, kueueRounds, kueue, reaper, steps, print, ...rest });
      Object.assign(figures, small.figures, { jobs });
      for (const goal of small.goals) {
        figures[goal.name] = goal.value;
        goals.push(goal);
      }
    }
    if (largeJobs > 0) {
      const kwok = await steps.runIfNeeded("kwok: building it", USUAL_KWOK_BUILD_TIME, (onProgress) =>
        ensureKwok({ cache, onProgress }),
      );
      Object.assign(figures, await runLargeJobs({ jobs: largeJobs, kwok, reaper, steps, print, ...rest }));
    }
    return { bench: "flow", figures, goals };
  } finally {
    await reaper.close();
  }
}

process.exitCode = await runCommandLine({
  parse: () => parseFlowArguments(process.argv.slice(2)),
  usage: USAGE,
  run: async (wanted) => {
    const lines = wanted === "help" ? [USAGE] : ["", ...reportLines(await bench(wanted), wanted.json)];
    for (const line of lines) console.log(line);
    return 0;
  },
});

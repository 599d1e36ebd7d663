/**
 * bench:operator: the load of Kueue's own scheduler bench, 15,000 jobs of three sizes in 30 queues of 5 cohorts, as
 * OpalJobs on our operator and as Workloads on Kueue's minimal manager, one after the other, each on a fresh
 * control plane of the same binary, with the same client limits, both executions mimicked. Kueue's manager only
 * admits here; ours also creates the child Jobs and brings every job to its verdict.
 *
 * Usage: npm run bench:operator [-- --json] [-- --fraction 0.1] [-- --only opal|kueue] [-- --cpu-prof]
 * The whole load takes about 12 minutes. A fraction takes so much of each set, for a look; it is no figure.
 */
import { readFile, mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { cacheDir } from "../cache/cache-dir.ts";
import { ensureDevCluster, USUAL_BUILD_TIME } from "../dev-cluster/build.ts";
import { startReaper } from "../processes/reaper.ts";
import { createSteps } from "../terminal/steps.ts";
import { ensureKueue, USUAL_KUEUE_BUILD_TIME } from "./kueue/peer.ts";
import { runKueue } from "./operator/kueue.ts";
import { readLoad } from "./operator/load.ts";
import { runOpal } from "./operator/opal.ts";
import { compare, figuresOf, goalsOf } from "./operator/report.ts";
import { reportLines } from "./report.ts";

const DEADLINE_SECONDS = 1800;

const { values } = parseArgs({
  options: {
    json: { type: "boolean", default: false },
    fraction: { type: "string", default: "1" },
    only: { type: "string" },
    "cpu-prof": { type: "boolean", default: false },
  },
});
const fraction = Number(values.fraction);
if (!(fraction > 0 && fraction <= 1)) throw new RangeError("--fraction is above 0 and at most 1");
const { only } = values;
if (only !== undefined && only !== "opal" && only !== "kueue")
  throw new RangeError("--only is opal or kueue");

const steps = createSteps(process.stderr, () => performance.now());
const cache = cacheDir(process.env);
await steps.runIfNeeded("building the dev cluster", USUAL_BUILD_TIME, (onProgress) =>
  ensureDevCluster({ cache, onProgress }),
);
const peer = await steps.runIfNeeded("building Kueue", USUAL_KUEUE_BUILD_TIME, (onProgress) =>
  ensureKueue({ cache, onProgress }),
);
const load = readLoad(await readFile(peer.baseline, "utf8"), fraction);
const dir = await mkdtemp(join(tmpdir(), "opal-bench-operator-"));
const reaper = startReaper({ env: process.env });
const shared = { load, reaper, deadlineSeconds: DEADLINE_SECONDS };
try {
  const kueue =
    only === "opal"
      ? undefined
      : await steps.run(`${load.jobs} Workloads on Kueue`, "8 minutes", () =>
          runKueue({ ...shared, peer, dir: join(dir, "kueue") }),
        );
  const opal =
    only === "kueue"
      ? undefined
      : await steps.run(`${load.jobs} OpalJobs on our operator`, "4 minutes", (onProgress) =>
          runOpal({ ...shared, dir: join(dir, "opal"), isProfiled: values["cpu-prof"], onProgress }),
        );
  for (const line of compare({ opal, kueue }, load.jobs)) console.log(line);
  const figures = figuresOf({ opal, kueue }, load.jobs);
  const result = { bench: "operator", figures, goals: goalsOf(figures) };
  for (const line of reportLines(result, values.json)) console.log(line);
  console.error(`logs and records are in ${dir}`);
} finally {
  await reaper.close();
}

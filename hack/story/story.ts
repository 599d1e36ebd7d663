/**
 * `npm run story`: what the operator does when GPUs are scarce, told by kubectl alone. The four scenes are the YAML
 * files of this folder and a few lines each that say what happens to the cluster.
 */
import { cacheDir } from "../cache/cache-dir.ts";
import { ensureDevCluster, USUAL_BUILD_TIME } from "../dev-cluster/build.ts";
import { createSteps } from "../terminal/steps.ts";
import { parseStoryArguments, type StoryArguments, USAGE } from "./arguments.ts";
import { playBudget } from "./budget.ts";
import { playShares } from "./shares.ts";
import { playSpot } from "./spot.ts";
import { type Stage, startStage } from "./stage.ts";
import { playStockOut } from "./stock-out.ts";
import { createJsonTeller, createTeller, type Teller } from "./teller.ts";

const SCENES = { shares: playShares, spot: playSpot, "stock-out": playStockOut, budget: playBudget };

const parsed = parse();
if (parsed === "help") console.log(USAGE);
else process.exitCode = await tellStory(parsed).then(succeeded, failed);

function succeeded(): number {
  return 0;
}

function failed(error: unknown): number {
  console.error(error instanceof Error ? error.message : error);
  return 1;
}

function parse(): StoryArguments | "help" {
  try {
    return parseStoryArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(64);
  }
}

async function tellStory({ keep, json, secondsPerPicture }: StoryArguments): Promise<void> {
  const steps = createSteps(process.stderr, () => performance.now());
  await steps.runIfNeeded("dev cluster: building it from its Go modules", USUAL_BUILD_TIME, (onProgress) =>
    ensureDevCluster({ cache: cacheDir(process.env), onProgress }),
  );
  const stage = await steps.run("starting a cluster and the operator", "10 seconds", (onProgress) =>
    startStage({ secondsPerPicture, onProgress }),
  );
  try {
    const teller = json ? createJsonTeller(process.stdout) : createTeller(process.stdout, stage.kubectl);
    for (const [scene, play] of Object.entries(SCENES)) teller.facts(scene, await play(stage, teller));
    await end(teller);
    if (keep) await leaveUp(stage);
  } finally {
    await stage.stop();
  }
}

async function end(teller: Teller): Promise<void> {
  teller.heading("In the end", "What is left, at a glance.");
  await teller.show(
    "get oj,opalqueue,gpupool",
    "every job has its verdict, or the reason for which it waits",
  );
}

async function leaveUp({ cluster }: Stage): Promise<void> {
  console.log(`The cluster stays up until Ctrl-C:

  export KUBECONFIG=${cluster.kubeconfig("engineer")}
  npm run cluster -- node list --dir ${cluster.dir}`);
  await new Promise<void>((stop) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop());
  });
}

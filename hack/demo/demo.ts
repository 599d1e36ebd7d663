/**
 * The demo: everything OPAL consists of, on this machine. Starts all parts, uploads photos as a tenant would,
 * shows where each of them stands, and writes the finished pictures and a contact sheet.
 */
import { resolve } from "node:path";
import { launchOpal, type Opal } from "../launch/launch.ts";
import { ensureReady } from "../setup/setup.ts";
import { parseDemoArguments, USAGE, type DemoArguments } from "./arguments.ts";
import { followJob } from "./follow.ts";
import { createNarrator, type Narrator } from "./narrator.ts";
import { readPhotos } from "./photos.ts";
import { savePictures } from "./results.ts";
import { putSceneBrand } from "./scene-brand.ts";
import { Tenant } from "./tenant.ts";
import { whatToTry } from "./what-to-try.ts";

const TENANT = "demo";
const JOB_DEADLINE_SECONDS = 900;

const parsed = parse();
if (parsed === "help") console.log(USAGE);
else process.exitCode = await demo(parsed);

function parse(): DemoArguments | "help" {
  try {
    return parseDemoArguments(process.argv.slice(2));
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
    process.exit(2);
  }
}

async function demo(options: DemoArguments): Promise<number> {
  const narrator = createNarrator({ json: options.json, out: process.stdout, err: process.stderr });
  const from = process.env["OPAL_INVOKED_FROM"] ?? process.cwd();
  const photos = await readPhotos(options.photos.map((path) => resolve(from, path)));
  const clock = stopwatch();
  await ensureReady();
  const setup = clock();
  let opal: Opal | undefined;
  try {
    opal = await narrator.steps.run("starting all parts", "10 seconds", (onProgress) =>
      launchOpal({ tenants: [TENANT], runnerEnv: runnerEnv(options), onProgress }),
    );
    const start = clock();
    narrator.event("started", { seconds: start });
    const items = await work({ opal, options, narrator, photos, out: resolve(from, options.out) });
    const ok = items.every(({ state }) => state === "completed");
    const seconds = { setup, start, work: clock() };
    narrator.finished({ ok, items, seconds });
    if (options.keep) await keep(opal, narrator);
    return ok ? 0 : 1;
  } finally {
    await opal?.stop();
  }
}

function runnerEnv({ model }: DemoArguments): Record<string, string> {
  return model === undefined ? {} : { OPAL_SCENE_MODEL: model };
}

interface Work {
  readonly opal: Opal;
  readonly options: DemoArguments;
  readonly narrator: Narrator;
  readonly photos: Awaited<ReturnType<typeof readPhotos>>;
  readonly out: string;
}

async function work({ opal, options, narrator, photos, out }: Work) {
  const apiKey = opal.apiKeys[TENANT];
  if (!apiKey) throw new Error("the launcher made no key for the demo's tenant");
  const tenant = new Tenant({
    baseUrl: opal.apiUrl,
    tenant: TENANT,
    apiKey,
    onCall: (curl) => narrator.say(curl),
  });
  if (options.prompt !== undefined) {
    const { style: profileId, prompt, seed } = options;
    await putSceneBrand(opal.stack, { tenant: TENANT, profileId, prompt, seed });
  }
  narrator.say(`as a tenant would, with OPAL_KEY=${apiKey}:`);
  const job = await tenant.submit(options.style, photos);
  narrator.event("submitted", { job: job.job_id, items: job.items.length });
  const view = await followJob({
    tenant,
    opal,
    narrator,
    jobId: job.job_id,
    deadlineSeconds: JOB_DEADLINE_SECONDS,
  });
  return savePictures({ view, photos, out, narrator });
}

/** Leaves everything running until the terminal or a supervisor says stop. */
async function keep(opal: Opal, narrator: Narrator): Promise<void> {
  narrator.say(whatToTry(opal, TENANT));
  await new Promise<void>((stop) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop());
  });
  narrator.say("stopping everything");
}

/** Seconds since it was last asked, to a tenth. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    return Math.round(seconds * 10) / 10;
  };
}

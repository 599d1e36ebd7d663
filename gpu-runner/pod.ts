/**
 * The runner pod: takes one shard of an OpalJob through segment, place and upscale. Here settings are read, parts
 * connected, signals listened to and the exit code set. The story is told in shard.ts and item.ts; stages run in the
 * thread of inference-worker.ts.
 */
import { writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { type Logger, pino } from "pino";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { encodeVerdict, type ShardManifest, type ShardVerdict } from "#crds/runner-report.ts";
import { connectBlobs, createBlobStore } from "./blobs.ts";
import { BadSettings, type Config, parseConfig } from "./config.ts";
import { createDrain, type Drain } from "./drain.ts";
import { createEngine, type Engine } from "./engine.ts";
import { classify } from "./failure.ts";
import { describeMachine } from "./machine.ts";
import { readManifest, readWork } from "./manifest.ts";
import { rssMiB } from "./memory.ts";
import { createPhotos } from "./photos.ts";
import { annotateProgress } from "./pod-annotation.ts";
import { createProgress, type Progress } from "./progress.ts";
import { runShard, type ShardEnd } from "./shard.ts";
import type { WarmUp, WorkerSettings } from "./stage-work.ts";

const MIN_PROGRESS_INTERVAL_MILLIS = 1_000;

const sinceStart = () => performance.now() / 1000;

function endedBefore(exit: "config" | "storage" | "internal", error: unknown): ShardEnd {
  const verdict: ShardVerdict = {
    v: 1,
    done: "",
    failed: [],
    stages: { segment: 0, place: 0, upscale: 0 },
    gpuSeconds: 0,
    coldStartSeconds: sinceStart(),
    wastedGpuSeconds: 0,
    error: exit === "config" ? { class: "config", message: String(error) } : classify(error),
  };
  return { exit, verdict, error };
}

function workerSettings(config: Config): WorkerSettings {
  return {
    modelsDir: config.modelsDir,
    provider: config.executionProvider,
    intraOpThreads: config.intraOpThreads ?? availableParallelism(),
    maxSourceMegapixels: config.maxSourceMegapixels,
    workingPixels: config.workingPixels,
    maxFinalPixels: config.maxFinalPixels,
    upscalerQuality: config.upscalerQuality,
    scenes: config.scenes,
  };
}

/** The models of all parts: their stages and the most that one of them enlarges. */
function modelsOf(parts: readonly ShardManifest[]): WarmUp {
  const factors = parts.map(({ stages, brand }) => (stages.includes("upscale") ? brand.upscale : 1));
  return {
    segment: parts.some(({ stages }) => stages.includes("segment")),
    factor: Math.max(1, ...factors),
    scenes: parts.some(({ stages, brand }) => stages.includes("place") && brand.placement === "generated"),
  };
}

function startProgress({ apiServer, serviceAccountDir, pod }: Config, log: Logger): Progress {
  return createProgress({
    publish: async (state) => {
      if (apiServer) await annotateProgress({ apiServer, serviceAccountDir, pod }, state);
    },
    minIntervalMillis: MIN_PROGRESS_INTERVAL_MILLIS,
    onFailure: (error) => {
      log.warn({ err: error }, "progress could not be published");
    },
  });
}

interface Parts {
  readonly config: Config;
  readonly engine: Engine;
  readonly progress: Progress;
  readonly drain: Drain;
  readonly log: Logger;
}

/** By these an OpalJob's lines are found. */
function factsOf({ job, tenant, attempt, shard, correlationId }: ShardManifest) {
  return { job, tenant, attempt, shard, correlationId };
}

async function workOff(
  parts: readonly ShardManifest[],
  { config, engine, progress, drain, log }: Parts,
): Promise<ShardEnd> {
  const blobs = createBlobStore(await connectBlobs(config.blob));
  const processor = { node: process.version, platform: process.platform, arch: process.arch };
  return await runShard(await readWork(parts, blobs), {
    pod: config.pod.name,
    blobs,
    photos: createPhotos(blobs, config.maxSourceBytes),
    maxSourceBytes: config.maxSourceBytes,
    machine: describeMachine(workerSettings(config), processor),
    betweenItems: async () => {
      const heldMiB = Math.round(rssMiB());
      if (await engine.recycleAbove(config.highWaterMiB)) log.info({ heldMiB }, "models are opened anew");
    },
    run: (work) => drain.within(engine.run(work)),
    checkDrain: drain.check,
    now: () => new Date(),
    sinceStart,
    onProgress: progress.update,
    onRecord: ({ stage, seconds, output }, whose, manifest) => {
      log.info({ ...factsOf(manifest), stage, seconds, output, whose }, "stage");
    },
    onItem: ({ manifest, item: { id, index } }, { outcome, failure, found, computed }) => {
      log.info({ ...factsOf(manifest), item: id, index, outcome, failure, found, seconds: computed }, "item");
    },
  });
}

async function run(parts: Parts): Promise<ShardEnd> {
  const { config, log } = parts;
  const manifests = await readManifest(config.manifestDir, config.shard);
  parts.engine.warm(modelsOf(manifests));
  const lag = monitorEventLoopDelay({ resolution: 5 });
  lag.enable();
  const end = await workOff(manifests, parts);
  await parts.progress.flush();
  const [first] = manifests;
  const facts = {
    ...(first && factsOf(first)),
    ...(manifests.length > 1 && { sharedBy: manifests.length }),
    exit: end.exit,
    ...end.verdict,
    seconds: sinceStart(),
    peakRssMiB: Math.round(process.resourceUsage().maxRSS / 1024),
    eventLoopP99Millis: lag.percentile(99) / 1e6,
    eventLoopMaxMillis: lag.max / 1e6,
  };
  log.info(facts, "shard");
  return end;
}

function writeVerdict(path: string, { verdict }: ShardEnd, log: Logger): void {
  try {
    writeFileSync(path, encodeVerdict(verdict));
  } catch (error) {
    log.error({ err: error, path }, "the verdict could not be written");
  }
}

function describe(error: unknown): ShardEnd {
  if (error instanceof BadSettings) return endedBefore("config", error);
  return endedBefore(classify(error).class === "storage" ? "storage" : "internal", error);
}

/** Works until the shard ends, and with it the process. @param environment with the runner's settings */
export async function runPod(environment: NodeJS.ProcessEnv): Promise<never> {
  let config: Config;
  try {
    config = parseConfig(environment);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(EXIT_CODES.config);
  }
  const log = pino({ level: config.logLevel, base: { service: "gpu-runner", pod: config.pod.name } });
  const drain = createDrain(config.graceSeconds * 1000);
  process.on("SIGTERM", drain.begin);
  process.on("SIGINT", drain.begin);
  const parts = {
    config,
    engine: createEngine(workerSettings(config), (step) => {
      log.debug(step, "scene step");
    }),
    progress: startProgress(config, log),
    drain,
    log,
  };
  const end = await run(parts).catch(describe);
  if (end.error !== undefined && end.exit !== "drained")
    log.error({ err: end.error, exit: end.exit }, "the shard ended early");
  writeVerdict(config.terminationLog, end, log);
  // Not by ending quietly: a model that still runs must not keep the pod beyond its grace.
  process.exit(EXIT_CODES[end.exit]);
}

/**
 * The story of one item: what has a verdict is left alone; otherwise each stage runs unless its record is
 * there, writes its picture and then its create-once record, and at the end the item's report. A pod that dies
 * anywhere leaves whole records only, and the next one goes on after the last of them.
 */
import { createHash } from "node:crypto";
import { type ItemKey, stageLayerRef, stageOutputRef } from "#crds/blob-keys.ts";
import { isRetryable } from "#crds/failure.ts";
import type { ItemReport, ShardItem, ShardManifest, StageRecord } from "#crds/runner-report.ts";
import { type Stage, STAGES } from "#crds/stages.ts";
import { readBackdrop } from "./backdrop.ts";
import type { BlobStore } from "./blobs.ts";
import { type ClassifiedFailure, classify, Failure } from "./failure.ts";
import { Drained } from "./drain.ts";
import { StageFailure } from "./engine.ts";
import type { Photos } from "./photos.ts";
import { composeRecipe, type Machine } from "./recipe.ts";
import { createRecords, type Records } from "./records.ts";
import { composeReport } from "./report.ts";
import type { StageResult, StageWork } from "./stage-work.ts";
import type { EncodedPicture } from "./stages/picture-codec.ts";
import { workOfStage } from "./work-of-stage.ts";

export interface ItemContext {
  readonly manifest: ShardManifest;
  readonly pod: string;
  readonly blobs: BlobStore;
  readonly photos: Pick<Photos, "read">;
  readonly maxSourceBytes: number;
  /** On what the runner runs, for recipes. */
  readonly machine: Machine;
  /** Runs a stage; rejects with `Drained` when the pod must go before it ends. */
  readonly run: (work: StageWork) => Promise<StageResult>;
  /** Rejects with `Drained` between stages once the pod is to go. */
  readonly checkDrain: () => void;
  readonly now: () => Date;
  readonly onStage: (stage: Stage, state: "started" | "finished") => void;
  /** A stage that this pod computed has its record; `theirs` when somebody else had written it first. */
  readonly onRecord: (record: StageRecord, whose: "ours" | "theirs", manifest: ShardManifest) => void;
}

export interface ItemOutcome {
  readonly outcome: "done" | "failed";
  readonly failure?: ClassifiedFailure;
  /** The verdict was there before. */
  readonly found: boolean;
  /** Seconds of each stage that this pod computed. */
  readonly computed: Partial<Record<Stage, number>>;
  readonly report?: ItemReport;
}

/** What this pod spent on GPUs, counted up while items run. */
export interface GpuTally {
  gpuSeconds: number;
  wastedGpuSeconds: number;
}

/** Nothing about the item is wrong: the whole shard must stop. */
function concernsShard(error: unknown): boolean {
  return error instanceof Drained || (error instanceof Failure && ["storage", "model"].includes(error.class));
}

interface Run extends ItemContext {
  readonly item: ShardItem;
  readonly key: ItemKey;
  readonly records: Records;
  readonly tally: GpuTally;
  readonly computed: Partial<Record<Stage, number>>;
  readonly photo: () => Promise<Uint8Array>;
}

/** The photo is read at most once, and not at all when its stages are done. */
function readPhotoOnce(photos: ItemContext["photos"], source: string): () => Promise<Uint8Array> {
  let photo: Promise<Uint8Array> | undefined;
  return () => (photo ??= photos.read(source));
}

async function pictureOf(run: Run, record: StageRecord): Promise<Uint8Array> {
  const bytes = await run.blobs.read(record.output, record.bytes);
  if (!bytes) throw new Failure("missing-input", `the picture ${record.output} of a finished stage is gone`);
  return bytes;
}

interface Before {
  readonly picture: Uint8Array | undefined;
  readonly records: readonly StageRecord[];
}

function sha256Of({ bytes }: EncodedPicture): string {
  return createHash("sha256").update(bytes).digest("hex");
}

const mediaType = ({ extension }: EncodedPicture) => (extension === "png" ? "image/png" : "image/jpeg");

async function writeLayers(
  { key, blobs }: Run,
  stage: Stage,
  layers: StageResult["layers"] = [],
): Promise<Record<string, string>> {
  const refs: Record<string, string> = {};
  for (const { name, picture } of layers) {
    const ref = stageLayerRef(key, stage, { name, sha256: sha256Of(picture), extension: picture.extension });
    await blobs.create(ref, picture.bytes, mediaType(picture));
    refs[name] = ref;
  }
  return refs;
}

async function compute(run: Run, stage: Stage, before: Before) {
  const backdrop = () => readBackdrop(run.blobs, run.manifest, run.maxSourceBytes);
  const work = await workOfStage(stage, run.manifest, { ...before, photo: run.photo, backdrop });
  const started = run.now();
  run.onStage(stage, "started");
  const { picture, layers, facts, gpuSeconds, peakRssMiB } = await run.run(work);
  run.tally.gpuSeconds += gpuSeconds;
  const sha256 = sha256Of(picture);
  const output = stageOutputRef(run.key, stage, sha256, picture.extension);
  await run.blobs.create(output, picture.bytes, mediaType(picture));
  const writtenLayers = await writeLayers(run, stage, layers);
  const finished = run.now();
  const seconds = (finished.getTime() - started.getTime()) / 1000;
  run.computed[stage] = seconds;
  const record: StageRecord = {
    v: 1,
    stage,
    output,
    sha256,
    bytes: picture.bytes.length,
    width: picture.width,
    height: picture.height,
    seconds,
    gpuSeconds,
    attempt: run.manifest.attempt,
    pod: run.pod,
    finishedAt: finished.toISOString(),
    layers: writtenLayers,
    facts: { ...facts, ...(peakRssMiB !== undefined && { peakRssMiB }) },
  };
  const settled = await run.records.settleStage(record);
  const whose = settled.pod === run.pod ? "ours" : "theirs";
  if (whose === "theirs") run.tally.wastedGpuSeconds += gpuSeconds;
  run.onRecord({ ...record, output: settled.output }, whose, run.manifest);
  return { settled, picture: settled.sha256 === sha256 ? picture.bytes : undefined };
}

async function runStages(run: Run): Promise<StageRecord[]> {
  const wanted = STAGES.filter((stage) => run.manifest.stages.includes(stage));
  const records: StageRecord[] = [];
  let fresh: Uint8Array | undefined;
  for (const stage of wanted) {
    const found = await run.records.stage(stage);
    if (found) {
      records.push(found);
      fresh = undefined;
    } else {
      run.checkDrain();
      const last = records.at(-1);
      const previous = fresh ?? (last && (await pictureOf(run, last)));
      const { settled, picture } = await compute(run, stage, { picture: previous, records });
      records.push(settled);
      fresh = picture;
    }
    run.onStage(stage, "finished");
  }
  return records;
}

function countWaste(tally: GpuTally, error: unknown): void {
  if (!(error instanceof StageFailure)) return;
  tally.gpuSeconds += error.gpuSeconds;
  tally.wastedGpuSeconds += error.gpuSeconds;
}

/** Counts a verdict that was there before, and the stages that led to it. */
function foundOutcome(report: ItemReport, context: ItemContext): ItemOutcome {
  for (const { stage } of report.stages) context.onStage(stage, "finished");
  const { outcome, failure } = report;
  return { outcome, found: true, computed: {}, report, ...(failure && { failure }) };
}

/**
 * Brings one item to its verdict. A failure that another try could mend gets no report: it is told to the
 * operator alone, which may try again.
 * @throws {Drained | Failure} when the shard as a whole cannot go on.
 */
export async function processItem(
  item: ShardItem,
  context: ItemContext,
  tally: GpuTally,
): Promise<ItemOutcome> {
  const { manifest, blobs, machine } = context;
  const key = { tenant: manifest.tenant, job: manifest.job, uid: manifest.uid, item: item.id };
  const records = createRecords(blobs, key);
  const settled = await records.report();
  if (settled) return foundOutcome(settled, context);
  const photo = readPhotoOnce(context.photos, item.source);
  const computed: Partial<Record<Stage, number>> = {};
  try {
    const stages = await runStages({ ...context, item, key, records, tally, computed, photo });
    const recipe = await records.keepRecipe(composeRecipe({ manifest, item, stages, machine }));
    const done = composeReport({ manifest, item, stages, recipe, at: context.now() });
    const report = await records.settleReport(done);
    return {
      outcome: report.outcome,
      found: false,
      computed,
      report,
      ...(report.failure && { failure: report.failure }),
    };
  } catch (error) {
    countWaste(tally, error);
    if (concernsShard(error)) throw error;
    const failure = classify(error);
    if (isRetryable(failure.class)) return { outcome: "failed", failure, found: false, computed };
    const stages = await finishedStages(records, manifest.stages);
    const failed = composeReport({ manifest, item, stages, failure, at: context.now() });
    const report = await records.settleReport(failed);
    return { outcome: report.outcome, failure: report.failure ?? failure, found: false, computed, report };
  }
}

async function finishedStages(records: Records, stages: readonly Stage[]): Promise<StageRecord[]> {
  const found = await Promise.all(STAGES.filter((s) => stages.includes(s)).map((s) => records.stage(s)));
  return found.filter((record) => record !== undefined);
}

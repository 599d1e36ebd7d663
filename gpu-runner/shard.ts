/**
 * The story of a shard: its items one after another, each to its verdict. One bad photo never ends a shard;
 * storage that is gone, a missing model or the notice to go does, and then the rest stays for another pod.
 * Items of several OpalJobs may share a shard: each is done as if its job had run alone.
 */
import { formatRanges } from "#crds/item-ranges.ts";
import type { ExitReason } from "#crds/exit-codes.ts";
import type { ShardProgress, ShardVerdict, StageRecord } from "#crds/runner-report.ts";
import type { Stage } from "#crds/stages.ts";
import { Drained } from "./drain.ts";
import { classify, type ClassifiedFailure } from "./failure.ts";
import { type GpuTally, type ItemContext, type ItemOutcome, processItem } from "./item.ts";
import type { WorkItem } from "./manifest.ts";
import type { Photos } from "./photos.ts";

export interface ShardContext extends Omit<ItemContext, "onStage" | "manifest" | "photos"> {
  readonly photos: Photos;
  readonly onProgress: (progress: ShardProgress) => void;
  readonly onItem: (work: WorkItem, outcome: ItemOutcome) => void;
  /** Called when no item is in hand. */
  readonly betweenItems: () => Promise<void>;
  /** Seconds since the process began. */
  readonly sinceStart: () => number;
}

export interface ShardEnd {
  readonly exit: ExitReason;
  readonly verdict: ShardVerdict;
  /** What ended the shard early, for the log. */
  readonly error?: unknown;
}

/** What has happened so far, in the shapes in which it is told. */
class Tally implements GpuTally {
  gpuSeconds = 0;
  wastedGpuSeconds = 0;
  coldStartSeconds: number | undefined;
  current: ShardProgress["current"];
  readonly stages: Record<Stage, number> = { segment: 0, place: 0, upscale: 0 };
  readonly stageTimes: Partial<Record<Stage, { images: number; seconds: number }>> = {};
  readonly done: number[] = [];
  readonly failed: { index: number; id: string; class: ClassifiedFailure["class"]; message: string }[] = [];
  readonly turns: [slot: number, untilSeconds: number][] = [];
  readonly #isShared: boolean;

  constructor(isShared: boolean) {
    this.#isShared = isShared;
  }

  took({ stage, seconds }: Pick<StageRecord, "stage" | "seconds">): void {
    const before = this.stageTimes[stage] ?? { images: 0, seconds: 0 };
    this.stageTimes[stage] = { images: before.images + 1, seconds: round(before.seconds + seconds) };
  }

  progress(): ShardProgress {
    return {
      v: 1,
      done: formatRanges(this.done),
      failed: formatRanges(this.failed.map(({ index }) => index)),
      stages: { ...this.stages },
      ...(this.current && { current: this.current }),
      gpuSeconds: round(this.gpuSeconds),
      ...(this.#isShared && { failures: [...this.failed], turns: [...this.turns] }),
    };
  }

  verdict(sinceStart: number, error?: ClassifiedFailure): ShardVerdict {
    return {
      v: 1,
      done: formatRanges(this.done),
      failed: this.failed,
      stages: { ...this.stages },
      gpuSeconds: round(this.gpuSeconds),
      coldStartSeconds: round(this.coldStartSeconds ?? sinceStart),
      wastedGpuSeconds: round(this.wastedGpuSeconds),
      stageTimes: this.stageTimes,
      ...(this.#isShared && { turns: this.turns }),
      ...(error && { error }),
    };
  }
}

const round = (seconds: number) => Math.round(seconds * 1000) / 1000;

/** Failures that end a shard are of these classes; any other is a fault of the runner. */
const EXITS: Partial<Record<ClassifiedFailure["class"], ExitReason>> = {
  storage: "storage",
  model: "modelMissing",
  "out-of-memory": "outOfMemory",
};

interface Turn {
  readonly work: WorkItem;
  readonly next: WorkItem | undefined;
}

async function runItem({ work, next }: Turn, context: ShardContext, tally: Tally): Promise<void> {
  const { manifest, item, slot } = work;
  const onStage: ItemContext["onStage"] = (stage, state) => {
    if (state === "started") {
      tally.coldStartSeconds ??= context.sinceStart();
      tally.current = { index: slot, item: item.id, stage };
      // The network is idle while a model runs. An item that was found finished never gets here.
      if (next) context.photos.prefetch(next.item.source);
    } else tally.stages[stage]++;
    context.onProgress(tally.progress());
  };
  const onRecord: ItemContext["onRecord"] = (record, whose) => {
    tally.took(record);
    context.onRecord(record, whose, manifest);
  };
  const outcome = await processItem(item, { ...context, manifest, onStage, onRecord }, tally);
  tally.current = undefined;
  if (outcome.outcome === "done") tally.done.push(slot);
  else tally.failed.push({ index: slot, id: item.id, ...(outcome.failure ?? classify("no reason given")) });
  if (!outcome.found) tally.turns.push([slot, round(context.sinceStart())]);
  context.onItem(work, outcome);
  context.onProgress(tally.progress());
}

/** Runs the shard to its end. Never throws: every end is a verdict. */
export async function runShard(work: readonly WorkItem[], context: ShardContext): Promise<ShardEnd> {
  const tally = new Tally(work.some(({ item }) => item.slot !== undefined));
  try {
    for (const [i, one] of work.entries()) {
      context.checkDrain();
      await runItem({ work: one, next: work[i + 1] }, context, tally);
      await context.betweenItems();
    }
    return { exit: "done", verdict: tally.verdict(context.sinceStart()) };
  } catch (error) {
    if (error instanceof Drained) {
      return { exit: "drained", verdict: tally.verdict(context.sinceStart()), error };
    }
    const failure = classify(error);
    return {
      exit: EXITS[failure.class] ?? "internal",
      verdict: tally.verdict(context.sinceStart(), failure),
      error,
    };
  }
}

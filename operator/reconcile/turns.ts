/**
 * A shared pod as one member sees it: as if it had had a pod of its own from the beginning of its turn to its
 * end. Turns follow one another without a gap from the pod's start to its end, so what the members have used
 * adds up to what the pod has used.
 */
import { formatRanges, parseRanges } from "#crds/item-ranges.ts";
import type { ShardProgress, ShardVerdict } from "#crds/runner-report.ts";
import { STAGES } from "#crds/stages.ts";
import type { ObservedPod } from "./observed.ts";
import type { Member } from "./shared-child.ts";

type Failures = ShardVerdict["failed"];
type Seat = Pick<Member, "items" | "firstSlot">;

/** What the pod has said, in slots. */
interface Told {
  readonly done: ReadonlySet<number>;
  readonly failed: ReadonlyMap<number, Failures[number]>;
  readonly turns: readonly (readonly [slot: number, untilSeconds: number])[];
}

/** What of it concerns the member, in its own indexes, and when its turn was in seconds since the pod's start. */
interface Part {
  readonly done: readonly number[];
  readonly failed: Failures;
  readonly beginSeconds: number;
  readonly throughSeconds: number;
  readonly hasBegun: boolean;
  /** All its items have a word, and the pod has gone on to the next member. */
  readonly isThrough: boolean;
  /** What the pod has used since the last turn that it told of is this member's. */
  readonly hasRest: boolean;
}

/** @param slots of the whole shard */
export function ownPart(pod: ObservedPod, seat: Seat, slots: number): ObservedPod {
  const told = toldBy(pod);
  const part = partOf(told, seat, slots);
  const { verdict, progress, ...rest } = pod;
  return {
    ...rest,
    phase: phaseOf(pod, part),
    ...timesOf(pod, part),
    verdict: ownVerdict(verdict, part),
    progress: progress && ownProgress(pod, progress, { part, seat }),
  };
}

/** A runner's text is not to be trusted: what is no list of ranges says nothing. */
export function rangesOf(text: string | undefined): number[] {
  if (text === undefined) return [];
  try {
    return parseRanges(text);
  } catch {
    return [];
  }
}

function toldBy({ verdict, progress }: ObservedPod): Told {
  const last = verdict ? { failures: verdict.failed, turns: verdict.turns } : progress;
  return {
    done: new Set([...rangesOf(progress?.done), ...rangesOf(verdict?.done)]),
    failed: new Map(last?.failures?.map((failure) => [failure.index, failure])),
    turns: last?.turns ?? [],
  };
}

function partOf({ done, failed, turns }: Told, { items, firstSlot }: Seat, slots: number): Part {
  const lastSlot = firstSlot + items.length - 1;
  const ownDone = items.filter((_, at) => done.has(firstSlot + at));
  const ownFailed = items.flatMap((index, at) => {
    const failure = failed.get(firstSlot + at);
    return failure && !done.has(firstSlot + at) ? [{ ...failure, index }] : [];
  });
  const hasWord = (slot: number) => done.has(slot) || failed.has(slot);
  const current =
    Array.from({ length: slots }, (_, slot) => slot).find((slot) => !hasWord(slot)) ?? slots - 1;
  const until = (slot: number) =>
    Math.max(0, ...turns.filter(([worked]) => worked <= slot).map(([, seconds]) => seconds));
  const hasRest = current >= firstSlot && current <= lastSlot;
  const isThrough = !hasRest && ownDone.length + ownFailed.length === items.length;
  return {
    done: ownDone,
    failed: ownFailed,
    beginSeconds: until(firstSlot - 1),
    throughSeconds: until(lastSlot),
    hasBegun: hasRest || isThrough,
    isThrough,
    hasRest,
  };
}

function phaseOf({ phase }: ObservedPod, { hasBegun, isThrough }: Part): ObservedPod["phase"] {
  if (isThrough) return "Succeeded";
  return phase === "Running" && !hasBegun ? "Pending" : phase;
}

function timesOf(
  { startedAtMs, finishedAtMs }: ObservedPod,
  { beginSeconds, throughSeconds, hasBegun, isThrough }: Part,
): Pick<ObservedPod, "startedAtMs" | "finishedAtMs"> {
  if (startedAtMs === undefined || !hasBegun) return { startedAtMs: undefined, finishedAtMs: undefined };
  const at = (seconds: number) => Math.min(finishedAtMs ?? Infinity, startedAtMs + seconds * 1000);
  return {
    startedAtMs: at(beginSeconds),
    finishedAtMs: isThrough ? at(throughSeconds) : finishedAtMs,
  };
}

const NOTHING: ShardVerdict = {
  v: 1,
  done: "",
  failed: [],
  stages: { segment: 0, place: 0, upscale: 0 },
  gpuSeconds: 0,
  coldStartSeconds: 0,
  wastedGpuSeconds: 0,
};

/** Who is through has its verdict before the pod has. */
function ownVerdict(verdict: ShardVerdict | undefined, part: Part): ShardVerdict | undefined {
  if (!verdict && !part.isThrough) return undefined;
  const { coldStartSeconds, wastedGpuSeconds } = (part.hasRest && verdict) || NOTHING;
  return {
    ...(verdict ?? NOTHING),
    done: formatRanges(part.done),
    failed: [...part.failed],
    stages: finished(part.done.length),
    coldStartSeconds,
    wastedGpuSeconds,
  };
}

function ownProgress(
  pod: ObservedPod,
  progress: ShardProgress,
  { part, seat: { items, firstSlot } }: { part: Part; seat: Seat },
): ShardProgress {
  const { current } = progress;
  const index = current && items[current.index - firstSlot];
  const isOwn = current !== undefined && index !== undefined;
  return {
    v: 1,
    done: formatRanges(part.done),
    failed: formatRanges(part.failed.map((failure) => failure.index)),
    stages: finished(part.done.length, isOwn ? current.stage : undefined),
    ...(isOwn && { current: { ...current, index } }),
    gpuSeconds: accountedFor(pod, progress, part),
  };
}

/** Of the member's turn: what a dead pod's waste leaves of it. The whole pod's as long as it lives. */
function accountedFor(pod: ObservedPod, { gpuSeconds }: ShardProgress, part: Part): number {
  const { startedAtMs, finishedAtMs } = pod;
  if (startedAtMs === undefined || finishedAtMs === undefined) return gpuSeconds;
  const own = timesOf(pod, part);
  const turn = ((own.finishedAtMs ?? finishedAtMs) - (own.startedAtMs ?? finishedAtMs)) / 1000;
  const waste = Math.max(0, (finishedAtMs - startedAtMs) / 1000 - gpuSeconds);
  return part.hasRest ? turn - Math.min(turn, waste) : turn;
}

/** Items that are done have finished every stage; the one that is being worked on those before its present one. */
function finished(done: number, current?: (typeof STAGES)[number]): ShardProgress["stages"] {
  const before = current === undefined ? 0 : STAGES.indexOf(current);
  const count = (stage: (typeof STAGES)[number]) => done + (STAGES.indexOf(stage) < before ? 1 : 0);
  return { segment: count("segment"), place: count("place"), upscale: count("upscale") };
}

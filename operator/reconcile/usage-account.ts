import { fromTimestamp, toTimestamp, toWholeSeconds } from "#crds/timestamp.ts";
import type { OpalQueue, QueueUsage } from "#crds/opalqueue.ts";
import { windowStartMs } from "../schedule/usage.ts";
import type { QueueState } from "../schedule/world.ts";

/**
 * A queue's account of GPU time. What is written down in its status holds up to a moment; what pods have used
 * since is added from the pods themselves. So it does not matter when, or by which process, it was last written:
 * the sum at any moment is the same.
 */

/** A pod had one GPU from its start to its end. */
export interface GpuSpan {
  readonly queue: string;
  readonly gpuClass: string;
  readonly startMs: number;
  /** Undefined while it goes on. */
  readonly endMs: number | undefined;
}

interface Clock {
  readonly nowMs: number;
  readonly halfLifeSeconds: number;
}

/** The account as it is at `nowMs`. */
export function accrued(queue: OpalQueue, spans: readonly GpuSpan[], clock: Clock): QueueUsage {
  const { nowMs } = clock;
  const { usage, atMs } = writtenDown(queue, nowMs);
  const { budget } = queue.spec;
  const start = budget && windowStartMs(budget, nowMs);
  const news = spans.flatMap((span) => {
    const startMs = Math.max(atMs, span.startMs);
    const endMs = Math.min(nowMs, span.endMs ?? nowMs);
    return endMs > startMs ? [{ gpuClass: span.gpuClass, startMs, endMs }] : [];
  });
  return {
    at: toTimestamp(nowMs),
    classes: byClass(usage, news, { ...clock, atMs }),
    ...(start !== undefined && { windowStart: toWholeSeconds(start) }),
    windowGpuSeconds: start === undefined ? 0 : inWindow(usage, news, start),
  };
}

interface News {
  readonly gpuClass: string;
  readonly startMs: number;
  readonly endMs: number;
}

function writtenDown(
  { metadata, status }: OpalQueue,
  nowMs: number,
): { usage: QueueUsage | undefined; atMs: number } {
  const { usage } = status;
  return { usage, atMs: Math.min(nowMs, fromTimestamp(usage?.at ?? metadata.creationTimestamp)) };
}

function byClass(
  usage: QueueUsage | undefined,
  news: readonly News[],
  clock: Clock & { atMs: number },
): QueueUsage["classes"] {
  const classes = new Map<string, number>();
  const faded = halvings(clock.nowMs - clock.atMs, clock);
  for (const before of usage?.classes ?? []) classes.set(before.class, before.decayedGpuSeconds * faded);
  for (const { gpuClass, startMs, endMs } of news) {
    classes.set(gpuClass, (classes.get(gpuClass) ?? 0) + decayedIntegral(startMs, endMs, clock));
  }
  return [...classes]
    .map(([gpuClass, gpuSeconds]) => ({ class: gpuClass, decayedGpuSeconds: rounded(gpuSeconds) }))
    .sort((a, b) => (a.class < b.class ? -1 : 1));
}

function inWindow(usage: QueueUsage | undefined, news: readonly News[], start: number): number {
  const isSame = fromTimestamp(usage?.windowStart) === start;
  const before = isSame ? (usage?.windowGpuSeconds ?? 0) : 0;
  const ms = news.reduce((sum, one) => sum + Math.max(0, one.endMs - Math.max(one.startMs, start)), 0);
  return rounded(before + ms / 1000);
}

/** Whether any of the spans adds to what is written down. */
export function hasNews({ status, metadata }: OpalQueue, spans: readonly GpuSpan[]): boolean {
  const atMs = fromTimestamp(status.usage?.at ?? metadata.creationTimestamp);
  return spans.some(({ endMs }) => endMs === undefined || endMs > atMs);
}

/** The queue as the scheduler sees it. */
export function queueStateOf(queue: OpalQueue, spans: readonly GpuSpan[], clock: Clock): QueueState {
  const { metadata, spec } = queue;
  const { classes, windowGpuSeconds } = accrued(queue, spans, clock);
  return {
    name: metadata.name,
    cohort: spec.cohort,
    weight: spec.weight,
    quotas: spec.quotas.map(({ class: gpuClass, ...quota }) => ({ gpuClass, ...quota })),
    ...(spec.budget && {
      budget: {
        ...spec.budget,
        windowStartMs: windowStartMs(spec.budget, clock.nowMs),
        usedGpuSeconds: windowGpuSeconds,
      },
    }),
    maxJobs: spec.maxJobs,
    usage: classes.map(({ class: gpuClass, decayedGpuSeconds }) => ({
      gpuClass,
      gpuSeconds: decayedGpuSeconds,
      atMs: clock.nowMs,
    })),
  };
}

function halvings(ms: number, { halfLifeSeconds }: Clock): number {
  return 2 ** (-ms / 1000 / halfLifeSeconds);
}

/** GPU time that faded while it was being used. */
function decayedIntegral(startMs: number, endMs: number, clock: Clock): number {
  const left = halvings(clock.nowMs - endMs, clock) - halvings(clock.nowMs - startMs, clock);
  return (left * clock.halfLifeSeconds) / Math.LN2;
}

/** To the millisecond. */
function rounded(seconds: number): number {
  return Math.round(seconds * 1000) / 1000;
}

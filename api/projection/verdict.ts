/**
 * From an OpalJob and its items' reports to verdicts. Pure. A report is the word on its item; where there is
 * none, the finished or deleted OpalJob speaks for it.
 */
import { REASONS, isFinished } from "#crds/conditions.ts";
import type { FailureClass } from "#crds/failure.ts";
import type { ExportMessage } from "#crds/messages.ts";
import type { Brand } from "#crds/brand.ts";
import type { Condition, OpalJob } from "#crds/opaljob.ts";
import type { ItemReport } from "#crds/runner-report.ts";
import type { Stage } from "#crds/stages.ts";
import type { Verdict } from "../store/projection.ts";

/** What an item's report blob held. `unreadable`: it is not a report, and never will be, as it is create-once. */
export type ReportLookup =
  { readonly report: ItemReport } | { readonly unreadable: string } | { readonly absent: true };

export interface JobFacts {
  readonly tenantId: string;
  readonly jobId: string;
  readonly uid: string;
  readonly brand: Brand;
  readonly correlationId: string;
  readonly traceparent: string | null;
}

export function isRunning({ status }: OpalJob): boolean {
  const running = (status.conditions ?? []).some((one) => one.type === "Running" && one.status === "True");
  return running || decidedCount({ status }) > 0;
}

/** How many items the cluster says it has decided. */
export function decidedCount({ status }: Pick<OpalJob, "status">): number {
  return (status.items?.done ?? 0) + (status.items?.failed ?? 0);
}

/** Nothing more will come from the cluster: the job has its verdict, or is being deleted. */
export function isOver({ metadata, status }: OpalJob): boolean {
  return metadata.deletionTimestamp !== undefined || isFinished(status.conditions ?? []);
}

/** Nothing as long as the item's verdict is still to come. */
export function verdictOf(
  itemId: string,
  lookup: ReportLookup,
  opalJob: OpalJob,
  facts: JobFacts,
): Verdict | undefined {
  if ("report" in lookup) return fromReport(lookup.report, facts);
  if ("unreadable" in lookup) {
    return failed(itemId, {
      class: "unknown",
      message: `The item's report is unreadable: ${lookup.unreadable}`,
    });
  }
  return isOver(opalJob) ? failed(itemId, causeWithoutReport(itemId, opalJob)) : undefined;
}

interface Failure {
  readonly class: FailureClass;
  readonly message: string;
}

export const VANISHED: Failure = {
  class: "unknown",
  message: "The OpalJob was removed from the cluster before this item was finished.",
};

export function failed(itemId: string, failure: Failure): Verdict {
  return { outcome: "failed", itemId, startedAt: undefined, metadata: {}, ...failure };
}

function causeWithoutReport(itemId: string, { metadata, status }: OpalJob): Failure {
  const listed = status.failedItems?.find(({ id }) => id === itemId);
  if (listed) return { class: listed.class, message: listed.message || "The item failed." };
  const verdict = status.conditions?.find((one) => isFinished([one]));
  if (verdict) return causeOfVerdict(verdict);
  return metadata.deletionTimestamp === undefined
    ? VANISHED
    : { class: "unknown", message: "The OpalJob was deleted before this item was finished." };
}

function causeOfVerdict({ type, reason, message }: Condition): Failure {
  if (type === "Failed") {
    return { class: CLASS_OF_REASON[reason] ?? "unknown", message: message || `The job failed: ${reason}.` };
  }
  return reason === REASONS.AllItemsDone
    ? { class: "storage", message: "The item was finished, but its report is missing." }
    : { class: "unknown", message: "The item failed after all its tries; the cluster no longer says why." };
}

const CLASS_OF_REASON: Readonly<Record<string, FailureClass>> = {
  [REASONS.BudgetExhausted]: "budget",
  [REASONS.RunnerMisconfigured]: "config",
  [REASONS.InvalidSpec]: "config",
  [REASONS.RetriesExhausted]: "node",
};

function fromReport(report: ItemReport, facts: JobFacts): Verdict {
  const { item: itemId } = report;
  const startedAt = startOf(report);
  const metadata = metadataOf(report);
  if (report.outcome === "failed") {
    const failure = report.failure ?? { class: "unknown", message: "The item failed." };
    return { outcome: "failed", itemId, startedAt, metadata, ...failure };
  }
  if (!report.final) {
    const message = "The item's report names no finished picture.";
    return { outcome: "failed", itemId, startedAt, metadata, class: "unknown", message };
  }
  return {
    outcome: "rendered",
    itemId,
    startedAt,
    metadata,
    paths: {
      bgRemoved: outputOf(report, "segment"),
      placed: outputOf(report, "place"),
      upscaled: outputOf(report, "upscale"),
    },
    message: exportMessage(report, report.final, facts),
  };
}

function startOf({ finishedAt, seconds }: ItemReport): Date | undefined {
  const start = new Date(Date.parse(finishedAt) - seconds * 1000);
  return Number.isNaN(start.getTime()) ? undefined : start;
}

function outputOf({ stages }: ItemReport, stage: Stage): string | null {
  return stages.find((record) => record.stage === stage)?.output ?? null;
}

function exportMessage(
  { item: itemId, hasGeneratedPixels }: ItemReport,
  final: NonNullable<ItemReport["final"]>,
  { tenantId, jobId, uid, brand, correlationId, traceparent }: JobFacts,
): ExportMessage {
  return {
    v: 1,
    tenantId,
    jobId,
    itemId,
    uid,
    source: final.output,
    placement: brand.placement,
    productBox: final.productBox,
    contentBox: final.contentBox,
    frames: final.frames,
    layers: final.layers,
    ...(brand.background !== undefined && { background: brand.background }),
    exports: brand.exports,
    format: brand.exportFormat,
    quality: brand.exportQuality,
    hasGeneratedPixels,
    correlationId,
    ...(traceparent !== null && { traceparent }),
  };
}

/** What tenants see of the report as `ai_metadata`. */
function metadataOf(report: ItemReport): Record<string, unknown> {
  return {
    ...(report.source && { source: report.source }),
    seconds: {
      total: report.seconds,
      ...Object.fromEntries(report.stages.map(({ stage, seconds }) => [stage, seconds])),
    },
    gpu_seconds: report.gpuSeconds,
    attempt: report.attempt,
    models: report.models,
    ...(report.final && {
      size: { width: report.final.width, height: report.final.height },
      boxes: { product: report.final.productBox, content: report.final.contentBox },
    }),
    ...(report.fidelity && { fidelity: report.fidelity }),
    ...(report.quality && { quality: report.quality }),
    ...(report.recipe !== undefined && { recipe: report.recipe }),
    has_generated_pixels: report.hasGeneratedPixels,
  };
}

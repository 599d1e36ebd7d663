/** Builders of what the runner and the operator leave behind. */
import { itemReportRef, stageOutputRef } from "#crds/blob-keys.ts";
import type { OpalJobStatus } from "#crds/opaljob.ts";
import type { ItemReport } from "#crds/runner-report.ts";
import { STAGES } from "#crds/stages.ts";

export interface ReportedItem {
  readonly tenant: string;
  readonly job: string;
  readonly uid: string;
  readonly item: string;
}

const SHA = "ab".repeat(32);
export const FINISHED_AT = "2026-05-01T12:00:10.000Z";

export function aDoneReport(key: ReportedItem): ItemReport {
  return {
    v: 1,
    ...key,
    index: 0,
    attempt: 1,
    outcome: "done",
    source: { format: "jpeg", width: 40, height: 30, bytes: 100, sha256: SHA },
    stages: STAGES.map((stage) => ({
      v: 1,
      stage,
      output: stageOutputRef(key, stage, SHA, "png"),
      sha256: SHA,
      bytes: 100,
      width: 80,
      height: 60,
      seconds: 1,
      gpuSeconds: 0.5,
      attempt: 1,
      pod: "pod",
      finishedAt: FINISHED_AT,
      layers: {},
      facts: {},
    })),
    final: {
      output: stageOutputRef(key, "upscale", SHA, "png"),
      width: 80,
      height: 60,
      productBox: { x: 10, y: 10, width: 20, height: 20 },
      contentBox: { x: 8, y: 10, width: 30, height: 24 },
      frames: { "1:1": { x: 0, y: 0, width: 60, height: 60 } },
      layers: {},
    },
    fidelity: { corePixels: 100, maxAbsDifference: 0, meanAbsDifference: 0 },
    hasGeneratedPixels: false,
    models: [{ name: "isnet", sha256: SHA, licence: "MIT" }],
    seconds: 10,
    gpuSeconds: 1.5,
    finishedAt: FINISHED_AT,
  };
}

export function aFailedReport(key: ReportedItem): ItemReport {
  const { final: _, fidelity: __, ...rest } = aDoneReport(key);
  const failure = { class: "no-product", message: "No product was found in the picture." } as const;
  return { ...rest, outcome: "failed", stages: [], failure };
}

export function reportBlob(report: ItemReport): { readonly ref: string; readonly text: string } {
  return { ref: itemReportRef(report), text: JSON.stringify(report) };
}

interface StatusFacts {
  readonly total: number;
  readonly done?: number;
  readonly failed?: number;
  readonly failedItems?: OpalJobStatus["failedItems"];
  readonly condition?: {
    readonly type: "Running" | "Complete" | "Failed";
    readonly reason: string;
    readonly message?: string;
  };
}

export function aStatus({ total, done = 0, failed = 0, failedItems, condition }: StatusFacts): OpalJobStatus {
  return {
    items: { total, done, failed, running: 0, pending: total - done - failed },
    ...(failedItems && { failedItems }),
    conditions: condition
      ? [{ message: "", ...condition, status: "True", lastTransitionTime: "2026-05-01T12:00:00Z" }]
      : [],
  };
}

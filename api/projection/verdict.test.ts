import { describe, expect, test } from "vitest";
import { ExportMessage } from "#crds/messages.ts";
import { Brand } from "#crds/brand.ts";
import { OpalJob } from "#crds/opaljob.ts";
import { FINISHED_AT, aDoneReport, aFailedReport, aStatus } from "./testing.ts";
import { type ReportLookup, isOver, isRunning, verdictOf } from "./verdict.ts";
import { parseReport } from "./reports.ts";

const KEY = { tenant: "acme", job: "job", uid: "12345678-aaaa", item: "cup" };
const FACTS = {
  tenantId: "acme",
  jobId: "job",
  uid: KEY.uid,
  brand: Brand.parse({ placement: "color", background: "#f4f1ea", exports: ["1:1", "9:16"] }),
  correlationId: "corr",
  traceparent: null,
};
const ABSENT: ReportLookup = { absent: true };

function anOpalJob(status: Parameters<typeof aStatus>[0], deleted = false): OpalJob {
  return OpalJob.parse({
    metadata: {
      name: "job",
      uid: KEY.uid,
      resourceVersion: "1",
      creationTimestamp: FINISHED_AT,
      ...(deleted && { deletionTimestamp: FINISHED_AT }),
    },
    spec: { tenant: "acme", items: [{ id: "cup", source: "raw/cup.jpg" }], brand: {} },
    status: aStatus(status),
  });
}
const running = anOpalJob({ total: 1 });

describe("an item's report is the word on it", () => {
  test("a good one gives paths, metadata and the message for the exports", () => {
    const report = aDoneReport(KEY);
    const [segmented, placed, upscaled] = report.stages.map(({ output }) => output);
    const boxes = {
      productBox: { x: 10, y: 10, width: 20, height: 20 },
      contentBox: { x: 8, y: 10, width: 30, height: 24 },
    };
    const verdict = verdictOf("cup", { report }, running, FACTS);
    expect(verdict).toMatchObject({
      outcome: "rendered",
      startedAt: new Date("2026-05-01T12:00:00Z"),
      paths: { bgRemoved: segmented, placed, upscaled },
      metadata: {
        source: { width: 40, height: 30 },
        seconds: { total: 10, segment: 1, place: 1, upscale: 1 },
        gpu_seconds: 1.5,
        boxes: { product: boxes.productBox, content: boxes.contentBox },
        fidelity: { maxAbsDifference: 0 },
      },
    });
    expect(verdict?.outcome === "rendered" && ExportMessage.parse(verdict.message)).toEqual({
      v: 1,
      tenantId: "acme",
      jobId: "job",
      itemId: "cup",
      uid: KEY.uid,
      source: upscaled,
      placement: "color",
      ...boxes,
      background: "#f4f1ea",
      frames: { "1:1": { x: 0, y: 0, width: 60, height: 60 } },
      layers: {},
      exports: ["1:1", "9:16"],
      format: "auto",
      quality: 90,
      hasGeneratedPixels: false,
      correlationId: "corr",
    });
  });

  test("a bad one gives its class and message, even while the job goes on", () => {
    expect(verdictOf("cup", { report: aFailedReport(KEY) }, running, FACTS)).toMatchObject({
      outcome: "failed",
      class: "no-product",
      message: "No product was found in the picture.",
    });
  });

  test("one without a finished picture is a failure", () => {
    const { final: _, ...report } = aDoneReport(KEY);
    expect(verdictOf("cup", { report }, running, FACTS)).toMatchObject({
      outcome: "failed",
      class: "unknown",
    });
  });

  test("a time that is none does no harm", () => {
    const report = { ...aDoneReport(KEY), finishedAt: "yesterday" };
    expect(verdictOf("cup", { report }, running, FACTS)).toMatchObject({
      outcome: "rendered",
      startedAt: undefined,
    });
  });
});

describe("without a report", () => {
  const cases: readonly { name: string; opalJob: OpalJob; want: object | undefined }[] = [
    { name: "a running job is waited for", opalJob: running, want: undefined },
    {
      name: "not even its failed items are decided before its end: they may be tried again",
      opalJob: anOpalJob({ total: 2, failed: 1, failedItems: [{ id: "cup", class: "node", message: "m" }] }),
      want: undefined,
    },
    {
      name: "a finished job's list speaks first",
      opalJob: anOpalJob({
        total: 1,
        failed: 1,
        failedItems: [{ id: "cup", class: "node", message: "lost" }],
        condition: { type: "Failed", reason: "RetriesExhausted", message: "gave up" },
      }),
      want: { class: "node", message: "lost" },
    },
    {
      name: "then its condition",
      opalJob: anOpalJob({
        total: 1,
        condition: { type: "Failed", reason: "RunnerMisconfigured", message: "no model" },
      }),
      want: { class: "config", message: "no model" },
    },
    {
      name: "a condition without a message is named",
      opalJob: anOpalJob({ total: 1, condition: { type: "Failed", reason: "AllItemsFailed" } }),
      want: { class: "unknown", message: "The job failed: AllItemsFailed." },
    },
    {
      name: "a complete job with failures beyond its list",
      opalJob: anOpalJob({ total: 1, condition: { type: "Complete", reason: "SomeItemsFailed" } }),
      want: { class: "unknown" },
    },
    {
      name: "a complete job whose items are all done has lost a report",
      opalJob: anOpalJob({ total: 1, condition: { type: "Complete", reason: "AllItemsDone" } }),
      want: { class: "storage" },
    },
    {
      name: "a deleted job",
      opalJob: anOpalJob({ total: 1 }, true),
      want: { message: "The OpalJob was deleted before this item was finished." },
    },
  ];
  test.each(cases)("$name", ({ opalJob, want }) => {
    const verdict = verdictOf("cup", ABSENT, opalJob, FACTS);
    if (want === undefined) expect(verdict).toBeUndefined();
    else expect(verdict).toMatchObject({ outcome: "failed", ...want });
  });
});

test("signs of life are a running pod or a decided item", () => {
  expect(isRunning(running)).toBe(false);
  expect(isRunning(anOpalJob({ total: 2, done: 1 }))).toBe(true);
  expect(isRunning(anOpalJob({ total: 1, condition: { type: "Running", reason: "PodsRunning" } }))).toBe(
    true,
  );
});

test("a job is over when it is finished or being deleted", () => {
  expect(isOver(running)).toBe(false);
  expect(isOver(anOpalJob({ total: 1 }, true))).toBe(true);
  expect(isOver(anOpalJob({ total: 1, condition: { type: "Complete", reason: "AllItemsDone" } }))).toBe(true);
});

describe("what is not the item's report is refused", () => {
  test.each([
    ["not JSON", "nonsense"],
    ["another shape", "{}"],
    ["another item's", JSON.stringify(aDoneReport({ ...KEY, item: "mug" }))],
    ["another tenant's", JSON.stringify(aDoneReport({ ...KEY, tenant: "bolt" }))],
    ["another life's of the same name", JSON.stringify(aDoneReport({ ...KEY, uid: "87654321-bbbb" }))],
  ])("%s", (_, text) => {
    expect(parseReport(text, KEY)).toMatchObject({ unreadable: expect.any(String) });
  });
});

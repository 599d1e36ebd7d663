import { expect, test } from "vitest";
import { ANNOTATIONS, LABELS } from "#crds/names.ts";
import { Brand } from "#crds/brand.ts";
import { OpalJobSpec } from "#crds/opaljob.ts";
import { opalJobFromJob } from "./opaljob-from-job.ts";

const TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const JOB = {
  status: "queued" as const,
  brand: Brand.parse({ placement: "studio", seed: 4 }),
  correlationId: "corr",
  traceparent: TRACEPARENT,
  items: [
    { id: "i1", rawBlobPath: "raw/acme/j/i1/a.jpg", contentType: "image/jpeg" },
    { id: "i2", rawBlobPath: "raw/acme/j/i2/b.jpg", contentType: null },
  ],
};
const ADDRESS = { tenantId: "acme", jobId: "j" };
const SETTINGS = { maxGpusPerJob: 8, ttlSecondsAfterFinished: 600 };

test("an OpalJob carries the job's items, brand and trace", () => {
  const made = opalJobFromJob(ADDRESS, JOB, SETTINGS);
  expect(made).toMatchObject({
    name: "j",
    labels: { [LABELS.tenant]: "acme" },
    annotations: { [ANNOTATIONS.correlationId]: "corr", [ANNOTATIONS.traceparent]: TRACEPARENT },
  });
  expect(OpalJobSpec.parse(made.spec)).toMatchObject({
    tenant: "acme",
    brand: { seed: 4 },
    items: [
      { id: "i1", source: "raw/acme/j/i1/a.jpg", contentType: "image/jpeg" },
      { id: "i2", source: "raw/acme/j/i2/b.jpg" },
    ],
    ttlSecondsAfterFinished: 600,
  });
});

test("asks for no more GPUs than it has items, nor than it may", () => {
  expect(opalJobFromJob(ADDRESS, JOB, SETTINGS).spec.gpu?.maxGpus).toBe(2);
  expect(opalJobFromJob(ADDRESS, JOB, { ...SETTINGS, maxGpusPerJob: 1 }).spec.gpu?.maxGpus).toBe(1);
});

test("a job without a trace has no trace annotation", () => {
  const { annotations } = opalJobFromJob(ADDRESS, { ...JOB, traceparent: null }, SETTINGS);
  expect(Object.keys(annotations)).toEqual([ANNOTATIONS.correlationId]);
});

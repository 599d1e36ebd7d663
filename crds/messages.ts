import * as z from "zod";
import { Box } from "./runner-report.ts";
import { Export } from "./stages.ts";
import { dnsLabel } from "./opaljob.ts";
import { EXPORT_FORMATS, PLACEMENTS } from "./brand.ts";

/**
 * The two Service Bus queues and what travels on them. One consumer each: `jobs` is read by the intake,
 * `exports` by the export worker. The message id is the outbox row's id, and the queues detect duplicates.
 */
export const QUEUES = { jobs: "jobs", exports: "exports" } as const;

const Trace = {
  correlationId: z.string().min(1).max(128),
  traceparent: z.string().max(64).optional(),
};

/** An accepted job: the intake reads it from Postgres and creates its OpalJob. */
export const JobMessage = z.object({ v: z.literal(1), tenantId: dnsLabel(), jobId: dnsLabel(), ...Trace });
export type JobMessage = z.infer<typeof JobMessage>;

/** A finished picture that is to be cut for its channels. */
export const ExportMessage = z.object({
  v: z.literal(1),
  tenantId: dnsLabel(),
  jobId: dnsLabel(),
  itemId: dnsLabel(),
  /** The OpalJob's uid: part of the blob keys. */
  uid: z.string().min(8).max(64),
  /** The picture to cut, `<container>/<path>`. */
  source: z.string().min(3).max(1024),
  placement: z.enum(PLACEMENTS),
  /** Product, and product with its shadow, in pixels of `source`: a crop never touches them. */
  productBox: Box,
  contentBox: Box,
  /** The cut of each ratio that was planned, in pixels of `source`. */
  frames: z.record(z.string(), Box).default({}),
  /** Further pictures of the scene by name, `<container>/<path>`. */
  layers: z.record(z.string(), z.string()).default({}),
  background: z.string().optional(),
  exports: z.array(Export).min(1),
  format: z.enum(EXPORT_FORMATS).default("auto"),
  quality: z.int().min(1).max(100).default(90),
  hasGeneratedPixels: z.boolean().default(false),
  ...Trace,
});
export type ExportMessage = z.infer<typeof ExportMessage>;

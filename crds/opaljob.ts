import * as z from "zod";
import { BlobRef } from "./blob-ref.ts";
import { Brand, SET_NAMES } from "./brand.ts";
import { atCreation, cel } from "./cel.ts";
import { CONDITION_TYPES } from "./conditions.ts";
import { FailureClass } from "./failure.ts";
import { Stage } from "./stages.ts";

/**
 * OpalJob: one batch of product photos and what is to become of them. This schema is the single source of the
 * TypeScript types, of the CRD's validation and of its reference. The API server enforces it, CEL rules
 * included, so there is no admission webhook; readers stay lenient, because a newer object may carry more.
 *
 * Regular expressions are RE2-safe; there are no unions, because structural schemas have none.
 */

const immutable = (field: string) =>
  cel({ rule: "self == oldSelf", message: `${field} cannot change: create a new OpalJob instead` });

/** How many items one OpalJob may list inline; more go into a manifest blob. */
export const MAX_INLINE_ITEMS = 1000;
/** How many failed items `status.failedItems` names; all of them are in the item reports. */
export const MAX_LISTED_FAILURES = 20;

export const DNS_LABEL = "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$";
export const dnsLabel = () =>
  z
    .string()
    .min(1)
    .max(63)
    .regex(new RegExp(DNS_LABEL), "must be lower-case letters, digits and '-', 63 characters at most");

export const Timestamp = z.iso.datetime({ offset: true });

export const OpalJobItem = z.object({
  id: dnsLabel().describe("Names the item in blobs, reports and the api. Unique within the job."),
  source: BlobRef.describe("The photo: <container>/<path>."),
  contentType: z.string().max(127).optional().describe("Media type as uploaded; the bytes decide."),
});
export type OpalJobItem = z.infer<typeof OpalJobItem>;

export const Gpu = z
  .object({
    classes: z.array(dnsLabel()).max(16).default([]).describe("Acceptable GPU classes; empty means any."),
    minVramGiB: z.int32().min(0).max(1024).default(0),
    minGpus: z.int32().min(1).max(1000).default(1).describe("Starts only when so many are free at once."),
    maxGpus: z.int32().min(1).max(1000).default(1),
  })
  .meta(
    cel({
      rule: "self.minGpus <= self.maxGpus",
      message: "minGpus must not exceed maxGpus",
      fieldPath: ".minGpus",
    }),
  );

export const Retry = z.object({
  perItem: z
    .int32()
    .min(0)
    .max(10)
    .default(1)
    .describe("Further tries of an item after a retryable failure."),
  infrastructure: z
    .int32()
    .min(0)
    .max(20)
    .default(3)
    .describe("Further tries of a shard after a crash of its pod. Evictions cost none."),
});

export const OpalJobSpec = z
  .object({
    tenant: dnsLabel().meta(immutable("tenant")).describe("Who pays and whose data this is."),
    queue: dnsLabel().optional().describe("OpalQueue; without it the tenant's own, then `default`."),
    priority: z.int32().min(-1000).max(1000).default(0).describe("Higher goes first inside its queue."),
    deadline: Timestamp.optional().describe("Wanted by then: earlier deadlines go first."),
    items: z
      .array(OpalJobItem)
      .min(1)
      .max(MAX_INLINE_ITEMS)
      .optional()
      .meta({
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["id"],
        ...immutable("items"),
      }),
    itemsFrom: z
      .object({
        manifest: BlobRef.describe("A blob with one item as JSON per line, shaped like `items`."),
        count: z.int32().min(1).max(100_000).describe("Number of lines in it."),
      })
      .optional()
      .meta(immutable("itemsFrom")),
    // What cannot change in parts is owned as a whole, too.
    brand: Brand.meta({ "x-kubernetes-map-type": "atomic", ...immutable("brand") }),
    stages: z
      .array(Stage)
      .min(1)
      .max(8)
      .default(["segment", "place", "upscale"])
      .meta({ "x-kubernetes-list-type": "set", ...immutable("stages") }),
    gpu: Gpu.optional(),
    retry: Retry.optional(),
    budget: z
      .object({ gpuSeconds: z.int32().min(1).describe("The job is stopped when it has used so many.") })
      .optional(),
    suspend: z.boolean().default(false).describe("True gives all GPUs back; what is finished stays."),
    ttlSecondsAfterFinished: z
      .int32()
      .min(0)
      .optional()
      .describe("The OpalJob is deleted so long after its end; without it, never."),
  })
  .meta(
    cel(
      {
        rule: "has(self.items) != has(self.itemsFrom)",
        message: "give either items or itemsFrom, and not both",
        fieldPath: ".items",
      },
      {
        rule: "has(self.items) == has(oldSelf.items)",
        message: "items cannot change: create a new OpalJob instead",
        fieldPath: ".items",
      },
      atCreation({
        rule: "self.brand.placement != 'generated' || has(self.brand.prompt)",
        message: "placement generated needs a prompt",
        fieldPath: ".brand.prompt",
      }),
      atCreation({
        rule: "!(self.brand.placement in ['color', 'gradient']) || has(self.brand.background)",
        message: "placements color and gradient need a background",
        fieldPath: ".brand.background",
      }),
      atCreation({
        rule: "self.brand.placement != 'gradient' || has(self.brand.gradient)",
        message: "placement gradient needs a gradient",
        fieldPath: ".brand.gradient",
      }),
      atCreation({
        rule: "self.brand.placement != 'image' || has(self.brand.image)",
        message: "placement image needs an image",
        fieldPath: ".brand.image",
      }),
      atCreation({
        rule: `self.brand.placement != 'studio' || !has(self.brand.style) || self.brand.style in [${SET_NAMES.map((name) => `'${name}'`).join(", ")}]`,
        message: `there is no such set: style is one of ${SET_NAMES.join(", ")}`,
        fieldPath: ".brand.style",
      }),
    ),
  );
export type OpalJobSpec = z.infer<typeof OpalJobSpec>;

/** One entry of `status.conditions`, as Kubernetes defines conditions. */
export const conditionOf = <const T extends readonly string[]>(types: T) =>
  z.object({
    type: z.enum(types),
    status: z.enum(["True", "False", "Unknown"]),
    reason: z.string().min(1).max(128),
    message: z.string().max(1024),
    observedGeneration: z.number().int().optional(),
    lastTransitionTime: Timestamp,
  });
export const Condition = conditionOf(CONDITION_TYPES);
export type Condition = z.infer<typeof Condition>;

export const Count = z.int32().min(0);

export const ItemCounts = z.object({
  total: Count,
  pending: Count,
  running: Count,
  done: Count,
  failed: Count,
});
export type ItemCounts = z.infer<typeof ItemCounts>;

export const FailedItem = z.object({
  id: z.string().max(63),
  class: FailureClass,
  message: z.string().max(200),
});
export type FailedItem = z.infer<typeof FailedItem>;

export const OpalJobStatus = z.object({
  phase: z.string().max(32).optional().describe("Derived from the conditions, for people and printers only."),
  progress: z.string().max(32).optional().describe("done/total, for printers only."),
  observedGeneration: z.number().int().optional(),
  conditions: z
    .array(Condition)
    .max(8)
    .optional()
    .meta({ "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"] }),
  items: ItemCounts.optional(),
  stages: z
    .object({ segment: Count, place: Count, upscale: Count })
    .optional()
    .describe("How many items have finished each stage."),
  failedItems: z.array(FailedItem).max(MAX_LISTED_FAILURES).optional(),
  assignment: z
    .object({ pool: z.string().max(63), gpus: Count, since: Timestamp })
    .optional()
    .describe("Present while the job holds GPUs."),
  queue: z
    .object({
      position: Count.optional(),
      blockedOn: z.string().max(64).optional(),
      because: z.string().max(512).optional(),
    })
    .optional(),
  eta: z.object({ p50: Timestamp, p90: Timestamp }).optional(),
  usage: z
    .object({
      gpuSeconds: z.number().min(0),
      coldStartSeconds: z.number().min(0),
      wastedGpuSeconds: z.number().min(0),
      cost: z.number().min(0).optional().describe("GPU time × the pools' price, in the pools' currency."),
    })
    .optional(),
  attempts: Count.optional(),
  startTime: Timestamp.optional(),
  completionTime: Timestamp.optional(),
});
export type OpalJobStatus = z.infer<typeof OpalJobStatus>;

export const ObjectMeta = z.looseObject({
  name: z.string(),
  namespace: z.string().default("default"),
  uid: z.string(),
  resourceVersion: z.string(),
  generation: z.number().int().default(1),
  creationTimestamp: z.string(),
  deletionTimestamp: z.string().optional(),
  labels: z.record(z.string(), z.string()).default({}),
  annotations: z.record(z.string(), z.string()).default({}),
  finalizers: z.array(z.string()).default([]),
});

/** An OpalJob as read from a cluster: unknown fields are dropped, defaults filled in. */
export const OpalJob = z.object({
  metadata: ObjectMeta,
  spec: OpalJobSpec,
  status: OpalJobStatus.default({}),
});
export type OpalJob = z.infer<typeof OpalJob>;

/** How many items the job has. */
export function itemCount(spec: OpalJobSpec): number {
  return spec.items?.length ?? spec.itemsFrom?.count ?? 0;
}

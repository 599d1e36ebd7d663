import * as z from "zod";
import { CONDITION_TYPES } from "./conditions.ts";
import { FailureClass } from "./failure.ts";
import { MAX_JOB_NAME_LENGTH } from "./names.ts";
import { Export, Stage } from "./stages.ts";

/**
 * OpalJob: one batch of product photos and what is to become of them. This schema is the single source of the
 * TypeScript types, of the CRD's validation and of its reference. The API server enforces it, CEL rules
 * included, so there is no admission webhook; readers stay lenient, because a newer object may carry more.
 *
 * Regular expressions are RE2-safe; there are no unions, because structural schemas have none.
 */

export interface CelRule {
  rule: string;
  message: string;
  fieldPath?: string;
}
export const cel = (...rules: CelRule[]) => ({ "x-kubernetes-validations": rules });
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

/** A blob, as `<container>/<path>`: only the containers that a runner may read. */
const BlobRef = z
  .string()
  .min(5)
  .max(512)
  .regex(/^(raw|outputs)\/[^/].*$/, "must be raw/<path> or outputs/<path>");

const HexColour = z.string().regex(/^#[0-9a-fA-F]{6}$/, "must be a colour like #f4f1ea");

export const Timestamp = z.iso.datetime({ offset: true });

export const OpalJobItem = z.object({
  id: dnsLabel().describe("Names the item in blobs, reports and the api. Unique within the job."),
  source: BlobRef.describe("The photo: <container>/<path>."),
  contentType: z.string().max(127).optional().describe("Media type as uploaded; the bytes decide."),
});
export type OpalJobItem = z.infer<typeof OpalJobItem>;

export const PLACEMENTS = ["transparent", "color", "gradient", "image", "studio", "generated"] as const;
export const ANCHORS = [
  "top-left",
  "top",
  "top-right",
  "left",
  "centre",
  "right",
  "bottom-left",
  "bottom",
  "bottom-right",
] as const;

export const Layout = z.object({
  anchor: z.enum(ANCHORS).default("centre").describe("Where the product stands inside the margins."),
  fillPercent: z
    .int32()
    .min(10)
    .max(100)
    .default(80)
    .describe("How much of the room inside the margins the product fills along its tighter side."),
  marginPercent: z.int32().min(0).max(40).default(6).describe("Free border, in percent of the shorter side."),
  groundLinePercent: z
    .int32()
    .min(20)
    .max(100)
    .optional()
    .describe(
      "Where the product's foot stands, in percent of the height from the top; goes before the anchor.",
    ),
  snapToEdges: z
    .boolean()
    .default(true)
    .describe("A product that the photo's frame cuts off is put against the same edge of the picture."),
});

/** The parts of a shadow. */
export const SHADOW_PARTS = ["contact", "cast", "reflection"] as const;
export const POSES = ["auto", "standing", "lying", "floating"] as const;

export const Shadow = z.object({
  parts: z
    .array(z.enum(SHADOW_PARTS))
    .max(3)
    .optional()
    .meta({ "x-kubernetes-list-type": "set" })
    .describe("Without it, what suits the placement; an empty list is no shadow."),
  softness: z.int32().min(0).max(100).default(50).describe("0 a hard edge, 100 an overcast sky."),
  intensity: z.int32().min(0).max(100).default(50).describe("0 hardly to be seen, 100 black."),
  spread: z.int32().min(0).max(100).default(50).describe("How far the cast reaches."),
  directionDegrees: z
    .int32()
    .min(0)
    .max(359)
    .default(25)
    .describe("Where it falls, seen from above: 0 to the right, 90 towards the viewer, 180 to the left."),
  pose: z.enum(POSES).default("auto").describe("How the product meets the floor."),
});
export type Shadow = z.infer<typeof Shadow>;

export const Gradient = z.object({
  to: HexColour.describe("The colour at its end; it begins with `background`."),
  kind: z.enum(["linear", "radial"]).default("linear"),
  angleDegrees: z.int32().min(0).max(359).default(90).describe("0 to the right, 90 downwards; linear only."),
});
export type Gradient = z.infer<typeof Gradient>;

export const EXPORT_FORMATS = ["auto", "jpeg", "png", "webp", "avif"] as const;

/** A brand profile as it was when the job was accepted: later edits of the profile do not reach the job. */
export const Brand = z.object({
  placement: z.enum(PLACEMENTS).default("studio").describe("What the product is placed on."),
  style: z.string().max(64).optional().describe("For placement `studio`: name of the set."),
  prompt: z.string().max(2000).optional().describe("For placement `generated`: the scene in words."),
  negativePrompt: z.string().max(2000).optional(),
  seed: z.int32().min(0).default(0).describe("The same seed and recipe give the same picture."),
  background: HexColour.optional().describe(
    "For placements `color` and `gradient`; elsewhere the main tone of the scene.",
  ),
  gradient: Gradient.optional().describe("For placement `gradient`."),
  image: BlobRef.optional().describe(
    "For placement `image`: the picture behind the product, of the same tenant.",
  ),
  palette: z.array(HexColour).max(8).default([]).describe("The brand's colours, most important first."),
  layout: Layout.optional(),
  shadow: Shadow.optional(),
  harmonisePercent: z
    .int32()
    .min(0)
    .max(100)
    .default(0)
    .describe(
      "How far the scene's light may tint the product, within a fixed budget; 0 leaves it untouched.",
    ),
  minScore: z
    .int32()
    .min(0)
    .max(100)
    .default(50)
    .describe("Pictures that score less are tried again once, and then held back for review, not billed."),
  exportFormat: z.enum(EXPORT_FORMATS).default("auto").describe("A channel's own rules go before it."),
  exportQuality: z.int32().min(1).max(100).default(90),
  upscale: z
    .int32()
    .default(2)
    .meta(cel({ rule: "self in [1, 2, 4]", message: "upscale must be 1, 2 or 4" }))
    .describe("Factor of the upscaling stage; 1 leaves the size."),
  exports: z
    .array(Export)
    .min(1)
    .max(16)
    .default(["1:1", "4:3", "9:16"])
    .meta({ "x-kubernetes-list-type": "set" }),
});
export type Brand = z.infer<typeof Brand>;

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
    brand: Brand.meta(immutable("brand")),
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
      {
        rule: "self.brand.placement != 'generated' || has(self.brand.prompt)",
        message: "placement generated needs a prompt",
        fieldPath: ".brand.prompt",
      },
      {
        rule: "!(self.brand.placement in ['color', 'gradient']) || has(self.brand.background)",
        message: "placements color and gradient need a background",
        fieldPath: ".brand.background",
      },
      {
        rule: "self.brand.placement != 'gradient' || has(self.brand.gradient)",
        message: "placement gradient needs a gradient",
        fieldPath: ".brand.gradient",
      },
      {
        rule: "self.brand.placement != 'image' || has(self.brand.image)",
        message: "placement image needs an image",
        fieldPath: ".brand.image",
      },
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

/** The CEL rules of the whole object: those that need its name. */
export const OBJECT_RULES: readonly CelRule[] = [
  {
    rule: `self.metadata.name.size() <= ${MAX_JOB_NAME_LENGTH}`,
    message: `metadata.name must be at most ${MAX_JOB_NAME_LENGTH} characters: pods are named after it`,
  },
  {
    rule: `self.metadata.name.matches('${DNS_LABEL}')`,
    message: "metadata.name must be lower-case letters, digits and '-'",
  },
];

/** How many items the job has. */
export function itemCount(spec: OpalJobSpec): number {
  return spec.items?.length ?? spec.itemsFrom?.count ?? 0;
}

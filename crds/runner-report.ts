import * as z from "zod";
import { Brand } from "./brand.ts";
import { OpalJobItem } from "./opaljob.ts";
import { FailureClass } from "./failure.ts";
import { Stage } from "./stages.ts";

/**
 * What goes into a runner pod (its shard manifest) and what comes out: stage records and item reports in blob
 * storage, progress in an annotation of its pod, the shard's verdict in the termination message.
 */

/** A box in pixels, origin top left; right and bottom edges are x + width and y + height, exclusive. */
export const Box = z.object({
  x: z.int().min(0),
  y: z.int().min(0),
  width: z.int().min(1),
  height: z.int().min(1),
});
export type Box = z.infer<typeof Box>;

/**
 * One item of a shard; `index` counts over the whole OpalJob, so attempts can be added up. In a shared shard
 * `slot` is the number by which progress and verdict name it: indexes of several OpalJobs would meet there.
 */
export const ShardItem = OpalJobItem.extend({
  index: z.int().min(0),
  slot: z.int().min(0).optional(),
});
export type ShardItem = z.infer<typeof ShardItem>;

/** The work of one pod: a file of the child's ConfigMap, or an annotation of the pod. */
export const ShardManifest = z.object({
  v: z.literal(1),
  job: z.string(),
  namespace: z.string(),
  uid: z.string(),
  tenant: z.string(),
  attempt: z.int().min(1),
  shard: z.int().min(0),
  correlationId: z.string(),
  brand: Brand,
  stages: z.array(Stage),
  /** Side of a tile, as a part of the model's own: smaller after memory ran out. Without it, 1. */
  tileScale: z.number().min(0.125).max(1).optional(),
  /** Listed here, or, for a job with `itemsFrom`, ... */
  items: z.array(ShardItem).default([]),
  /** ... lines of a manifest blob, given as ranges of item indexes. */
  itemsFrom: z.object({ manifest: z.string(), indexes: z.string() }).optional(),
});
export type ShardManifest = z.infer<typeof ShardManifest>;

/**
 * The work of a pod that several OpalJobs share: each one's part is what its manifest would be if it ran alone,
 * so its items' records, reports and outputs are the same. Slots count over all parts in their order, from 0.
 */
export const SharedManifest = z.object({ v: z.literal(1), parts: z.array(ShardManifest).min(1) });
export type SharedManifest = z.infer<typeof SharedManifest>;

/**
 * The work of all pods of a child of several shards, where it is small enough for each of them to carry: what the
 * shards share is said once, and of each, by its number, what is its own.
 */
export const ChildManifest = ShardManifest.omit({ shard: true, items: true, itemsFrom: true }).extend({
  shards: z.array(ShardManifest.pick({ items: true, itemsFrom: true })).min(1),
});
export type ChildManifest = z.input<typeof ChildManifest>;

/**
 * The work of the pod of this shard, as its parts: one, unless several OpalJobs share the pod.
 * @throws {z.ZodError} when it is no manifest, {RangeError} when it is a child's that has no such shard
 */
export function manifestParts(raw: unknown, shard: number): readonly ShardManifest[] {
  const has = (field: string) => typeof raw === "object" && raw !== null && field in raw;
  if (has("parts")) return SharedManifest.parse(raw).parts;
  if (!has("shards")) return [ShardManifest.parse(raw)];
  const { shards, ...common } = ChildManifest.parse(raw);
  const own = shards[shard];
  if (!own) throw new RangeError(`it has ${shards.length} shards, and none of the number ${shard}`);
  return [{ ...common, shard, ...own }];
}

/** File of a shard's own manifest where the pod finds it. */
export function manifestKey(shard: number): string {
  return `${shard}.json`;
}

/** File of the manifest of all shards of a child, which its pods carry. */
export const CHILD_MANIFEST_KEY = "shards.json";

/** Files in which the pod of this shard may find its manifest: one of them is there. */
export function manifestKeys(shard: number): readonly string[] {
  return [manifestKey(shard), CHILD_MANIFEST_KEY];
}

const Sha256 = z.string().regex(/^[0-9a-f]{64}$/);

/** The create-once record of a finished stage: a later pod goes on after the last one it finds. */
export const StageRecord = z.object({
  v: z.literal(1),
  stage: Stage,
  /** The stage's picture, `<container>/<path>`. */
  output: z.string(),
  sha256: Sha256,
  bytes: z.int(),
  width: z.int(),
  height: z.int(),
  seconds: z.number(),
  gpuSeconds: z.number(),
  attempt: z.int(),
  pod: z.string(),
  finishedAt: z.string(),
  /** Further pictures of the stage by name ("mask", "shadow"), as `<container>/<path>`. */
  layers: z.record(z.string(), z.string()).default({}),
  /** What later stages and the report need to know: boxes, proofs, scores. Named by the stage. */
  facts: z.record(z.string(), z.unknown()).default({}),
});
export type StageRecord = z.infer<typeof StageRecord>;

/**
 * The proof that the product was not changed: the delivered pixels inside the eroded core of the matte,
 * compared with the source's after the stated resize and colour conversion. 8-bit levels.
 */
export const Fidelity = z.object({
  corePixels: z.int(),
  maxAbsDifference: z.number(),
  meanAbsDifference: z.number(),
  /** Of the whole core, against the photo brought to the same size and colours. Absent in older reports. */
  deltaE00P95: z.number().optional(),
  psnrDb: z.number().optional(),
});
export type Fidelity = z.infer<typeof Fidelity>;

/** How good a picture is, by what can be measured of it. */
export const Quality = z.object({
  /** 0..100; what is not good enough to deliver is below the brand's `minScore`. */
  score: z.number().min(0).max(100),
  /** What took points away, most first. */
  reasons: z.array(
    z.object({
      /** Machine-readable: "halo", "holes", "blurred", "touches-frame" ... */
      code: z.string(),
      points: z.number(),
      value: z.number(),
      message: z.string(),
    }),
  ),
});
export type Quality = z.infer<typeof Quality>;

/** The verdict of one item, good or bad. */
export const ItemReport = z.object({
  v: z.literal(1),
  job: z.string(),
  uid: z.string(),
  tenant: z.string(),
  item: z.string(),
  index: z.int(),
  attempt: z.int(),
  outcome: z.enum(["done", "failed"]),
  failure: z.object({ class: FailureClass, message: z.string() }).optional(),
  source: z
    .object({ format: z.string(), width: z.int(), height: z.int(), bytes: z.int(), sha256: Sha256 })
    .optional(),
  /** In the order in which they ran. */
  stages: z.array(StageRecord),
  /** The last stage's picture and what the exports must know of it. */
  final: z
    .object({
      output: z.string(),
      width: z.int(),
      height: z.int(),
      productBox: Box,
      contentBox: Box,
      /** The cut of each wanted ratio, in its pixels. */
      frames: z.record(z.string(), Box).default({}),
      /** Further pictures of the scene by name; scaled to this picture's size where that differs. */
      layers: z.record(z.string(), z.string()).default({}),
    })
    .optional(),
  fidelity: Fidelity.optional(),
  quality: Quality.optional(),
  /** JSON that renders the same bytes again, `<container>/<path>`. */
  recipe: z.string().optional(),
  /** Parts of the picture that no camera has seen: asks for marking (EU AI Act, Article 50). */
  hasGeneratedPixels: z.boolean().default(false),
  models: z.array(z.object({ name: z.string(), sha256: Sha256, licence: z.string() })).default([]),
  seconds: z.number(),
  gpuSeconds: z.number(),
  finishedAt: z.string(),
});
export type ItemReport = z.infer<typeof ItemReport>;

const StageCounts = z.object({
  segment: z.int().default(0),
  place: z.int().default(0),
  upscale: z.int().default(0),
});

const ItemFailure = z.object({
  index: z.int(),
  id: z.string(),
  class: FailureClass,
  message: z.string().default(""),
});

/**
 * Of a shared shard: each slot that the pod has worked on, in that order, and when it was through with it, in
 * seconds since its process began. It says whose the pod's GPU time was.
 */
const Turns = z.array(z.tuple([z.int().min(0), z.number().min(0)])).optional();

/** The pod's annotation `opal.dev/progress`, at most once a second. Indexes are slots when the shard is shared. */
export const ShardProgress = z.object({
  v: z.literal(1),
  /** Indexes of items that are done, and of those that failed, as ranges. */
  done: z.string(),
  failed: z.string(),
  /** How many items of the shard have finished each stage (found finished included). */
  stages: StageCounts,
  current: z.object({ index: z.int(), item: z.string(), stage: Stage }).optional(),
  gpuSeconds: z.number(),
  /** Of a shared shard: why items failed, so that their jobs need not wait for the others'. */
  failures: z.array(ItemFailure).optional(),
  turns: Turns,
});
export type ShardProgress = z.infer<typeof ShardProgress>;

/** Bytes that Kubernetes keeps of a termination message. */
export const MAX_TERMINATION_BYTES = 4096;
/** More items in a shard might not fit the termination message when all of them fail. */
export const MAX_SHARD_ITEMS = 24;

const StageTime = z.object({ images: z.int().min(0), seconds: z.number().min(0) }).optional();

/** The pod's termination message. Indexes are slots when the shard is shared. */
export const ShardVerdict = z.object({
  v: z.literal(1),
  done: z.string(),
  failed: z.array(ItemFailure),
  stages: StageCounts,
  gpuSeconds: z.number(),
  /** From the start of the process to the first stage's start. */
  coldStartSeconds: z.number(),
  /** GPU time spent on stages that were not finished or whose record somebody else had written. */
  wastedGpuSeconds: z.number().default(0),
  /** Pictures that this pod itself took through each stage, and how long that took in all. */
  stageTimes: z.object({ segment: StageTime, place: StageTime, upscale: StageTime }).optional(),
  turns: Turns,
  /** Why the pod itself ended badly, if it did. */
  error: z.object({ class: FailureClass, message: z.string() }).optional(),
});
export type ShardVerdict = z.infer<typeof ShardVerdict>;

/**
 * The verdict as a termination message: messages are shortened, then left out, until it fits. Which items
 * failed and why is never left out.
 */
export function encodeVerdict(verdict: ShardVerdict): string {
  const size = (text: string) => new TextEncoder().encode(text).length;
  for (const room of [200, 80, 30, 0]) {
    const text = JSON.stringify({
      ...verdict,
      failed: verdict.failed.map((item) => ({ ...item, message: item.message.slice(0, room) })),
      ...(verdict.error && {
        error: { ...verdict.error, message: verdict.error.message.slice(0, 200 + room) },
      }),
    });
    if (size(text) <= MAX_TERMINATION_BYTES) return text;
  }
  throw new RangeError(
    `the verdict of ${verdict.failed.length} failed items does not fit ${MAX_TERMINATION_BYTES} bytes`,
  );
}

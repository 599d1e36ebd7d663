import * as z from "zod";
import { dnsLabel } from "./opaljob.ts";

/** A kind of GPU node that jobs can be placed on. */
export const GpuPoolSpec = z.object({
  gpuClass: dnsLabel().describe("What jobs ask for in gpu.classes, for example t4, a100, h100."),
  resourceName: z.string().max(253).default("nvidia.com/gpu").describe("MIG profiles have their own."),
  vramGiB: z.int32().min(1).max(1024),
  nodeSelector: z.record(z.string(), z.string()).default({}),
  tolerations: z
    .array(
      z.object({
        key: z.string().optional(),
        operator: z.enum(["Equal", "Exists"]).optional(),
        value: z.string().optional(),
        effect: z.enum(["NoSchedule", "PreferNoSchedule", "NoExecute"]).optional(),
      }),
    )
    .default([]),
  maxGpus: z.int32().min(1).max(10_000).describe("Never more pods than this at once."),
  spot: z.boolean().default(false),
  pricePerGpuHour: z.number().min(0).default(0),
  startTimeoutSeconds: z.int32().min(1).default(120),
  stockOutCooldownSeconds: z.int32().min(1).default(600),
});
export type GpuPoolSpec = z.infer<typeof GpuPoolSpec>;

/** A pool with its name. */
export const GpuPool = z.object({ name: dnsLabel(), spec: GpuPoolSpec });
export type GpuPool = z.infer<typeof GpuPool>;

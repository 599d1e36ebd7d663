/**
 * The CustomResourceDefinitions, made from the zod schemas: OpenAPI v3 structural schemas with CEL rules, printer
 * columns and the status subresource.
 */
import * as z from "zod";
import { GpuPoolSpec, GpuPoolStatus } from "./gpupool.ts";
import { GROUP, MAX_JOB_NAME_LENGTH, VERSION } from "./names.ts";
import { DNS_LABEL, OpalJobSpec, OpalJobStatus } from "./opaljob.ts";
import { OpalQueueSpec, OpalQueueStatus } from "./opalqueue.ts";

interface PrinterColumn {
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "date";
  jsonPath: string;
  /** 1 is shown with `-o wide` only. */
  priority?: number;
  description?: string;
}

interface CustomResource {
  readonly kind: string;
  readonly singular: string;
  readonly plural: string;
  readonly shortName: string;
  readonly scope: "Namespaced" | "Cluster";
  readonly description: string;
  readonly spec: z.ZodType;
  readonly status: z.ZodType;
  /** Characters: pods are named after it, or it becomes the value of a label. */
  readonly maxNameLength: number;
  readonly columns: readonly PrinterColumn[];
}

const AGE: PrinterColumn = { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" };

const MAX_LABEL_LENGTH = 63;

const OPALJOB: CustomResource = {
  kind: "OpalJob",
  singular: "opaljob",
  plural: "opaljobs",
  shortName: "oj",
  scope: "Namespaced",
  description: "One batch of product photos and what is to become of them.",
  spec: OpalJobSpec,
  status: OpalJobStatus,
  maxNameLength: MAX_JOB_NAME_LENGTH,
  columns: [
    { name: "Tenant", type: "string", jsonPath: ".spec.tenant" },
    { name: "Phase", type: "string", jsonPath: ".status.phase" },
    { name: "Done", type: "string", jsonPath: ".status.progress", description: "items done / items in all" },
    { name: "Failed", type: "integer", jsonPath: ".status.items.failed" },
    { name: "Pool", type: "string", jsonPath: ".status.assignment.pool" },
    { name: "GPUs", type: "integer", jsonPath: ".status.assignment.gpus" },
    { name: "Position", type: "integer", jsonPath: ".status.queue.position" },
    { name: "ETA", type: "string", jsonPath: ".status.eta.p50" },
    AGE,
    {
      name: "Reason",
      type: "string",
      // The first condition that holds: why it waits, runs or has ended.
      jsonPath: '.status.conditions[?(@.status=="True")].reason',
      priority: 1,
    },
    { name: "Because", type: "string", jsonPath: ".status.queue.because", priority: 1 },
  ],
};

const GPUPOOL: CustomResource = {
  kind: "GpuPool",
  singular: "gpupool",
  plural: "gpupools",
  shortName: "gp",
  scope: "Cluster",
  description: "GPU nodes of one kind and price that jobs can be placed on.",
  spec: GpuPoolSpec,
  status: GpuPoolStatus,
  maxNameLength: MAX_LABEL_LENGTH,
  columns: [
    { name: "Class", type: "string", jsonPath: ".spec.gpuClass" },
    { name: "VRAM", type: "integer", jsonPath: ".spec.vramGiB", description: "GiB of one GPU" },
    { name: "Spot", type: "boolean", jsonPath: ".spec.spot" },
    {
      name: "Price",
      type: "number",
      jsonPath: ".spec.pricePerGpuHour",
      description: "of one GPU for an hour",
    },
    { name: "Max", type: "integer", jsonPath: ".spec.maxGpus", description: "GPUs at most" },
    { name: "Ready", type: "integer", jsonPath: ".status.ready", description: "GPUs on ready nodes" },
    { name: "Assigned", type: "integer", jsonPath: ".status.assigned", description: "GPUs that jobs hold" },
    {
      name: "InUse",
      type: "integer",
      jsonPath: ".status.inUse",
      description: "GPUs on which a runner works",
    },
    {
      name: "State",
      type: "string",
      jsonPath: '.status.conditions[?(@.type=="Available")].reason',
    },
    AGE,
    { name: "StockedOutUntil", type: "string", jsonPath: ".status.stockOut.until", priority: 1 },
    { name: "Jobs", type: "integer", jsonPath: ".status.jobs", priority: 1 },
  ],
};

const OPALQUEUE: CustomResource = {
  kind: "OpalQueue",
  singular: "opalqueue",
  plural: "opalqueues",
  shortName: "oq",
  scope: "Cluster",
  description: "What a tenant or a team may have of the GPUs.",
  spec: OpalQueueSpec,
  status: OpalQueueStatus,
  maxNameLength: MAX_LABEL_LENGTH,
  columns: [
    { name: "Cohort", type: "string", jsonPath: ".spec.cohort" },
    { name: "Weight", type: "integer", jsonPath: ".spec.weight" },
    { name: "Pending", type: "integer", jsonPath: ".status.pending", description: "jobs that wait" },
    { name: "Admitted", type: "integer", jsonPath: ".status.admitted", description: "jobs that hold GPUs" },
    { name: "GPUs", type: "integer", jsonPath: ".status.gpus" },
    { name: "Share", type: "string", jsonPath: ".status.share", description: "of the GPUs of a class" },
    { name: "BudgetLeft", type: "integer", jsonPath: ".status.budgetLeft", description: "GPU-seconds" },
    { name: "State", type: "string", jsonPath: '.status.conditions[?(@.type=="Active")].reason' },
    AGE,
  ],
};

/** All CustomResourceDefinitions by the plural name of their resource. */
export function crdManifests(): Readonly<Record<"opaljobs" | "gpupools" | "opalqueues", object>> {
  return { opaljobs: crdOf(OPALJOB), gpupools: crdOf(GPUPOOL), opalqueues: crdOf(OPALQUEUE) };
}

function crdOf({ kind, singular, plural, shortName, scope, ...resource }: CustomResource): object {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `${plural}.${GROUP}` },
    spec: {
      group: GROUP,
      scope,
      names: {
        kind,
        listKind: `${kind}List`,
        plural,
        singular,
        shortNames: [shortName],
        categories: ["opal"],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: resource.columns,
          schema: {
            openAPIV3Schema: {
              type: "object",
              description: resource.description,
              required: ["spec"],
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                // Not by CEL: a rule of the whole object is asked with every write of its status.
                metadata: {
                  type: "object",
                  properties: {
                    name: { type: "string", maxLength: resource.maxNameLength, pattern: DNS_LABEL },
                  },
                },
                spec: structuralSchema(resource.spec),
                // The operator alone writes it: who owns each field of it would be half of the object.
                status: { ...structuralSchema(resource.status), "x-kubernetes-map-type": "atomic" },
              },
            },
          },
        },
      ],
    },
  };
}

/** The schema as Kubernetes takes it: no `$schema`, and date-times by format instead of by pattern. */
function structuralSchema(schema: z.ZodType): Record<string, unknown> {
  const json = z.toJSONSchema(schema, {
    target: "openapi-3.0",
    io: "input",
    override: ({ jsonSchema }) => {
      if (jsonSchema.format === "date-time") delete jsonSchema.pattern;
    },
  });
  const { $schema: _, ...structural } = json as Record<string, unknown>;
  return structural;
}

/**
 * The CustomResourceDefinition of OpalJob, made from its zod schema: an OpenAPI v3 structural schema with CEL
 * rules, printer columns and the status subresource.
 */
import * as z from "zod";
import { GROUP, VERSION } from "./names.ts";
import { OBJECT_RULES, OpalJobSpec, OpalJobStatus } from "./opaljob.ts";

interface PrinterColumn {
  name: string;
  type: "string" | "integer" | "date";
  jsonPath: string;
  priority?: number;
  description?: string;
}

const OPALJOB_COLUMNS: readonly PrinterColumn[] = [
  { name: "Tenant", type: "string", jsonPath: ".spec.tenant" },
  { name: "Phase", type: "string", jsonPath: ".status.phase" },
  { name: "Done", type: "string", jsonPath: ".status.progress", description: "items done / items in all" },
  { name: "Failed", type: "integer", jsonPath: ".status.items.failed" },
  { name: "Pool", type: "string", jsonPath: ".status.assignment.pool" },
  { name: "GPUs", type: "integer", jsonPath: ".status.assignment.gpus" },
  { name: "Position", type: "integer", jsonPath: ".status.queue.position" },
  { name: "ETA", type: "string", jsonPath: ".status.eta.p50" },
  { name: "Age", type: "date", jsonPath: ".metadata.creationTimestamp" },
  { name: "Because", type: "string", jsonPath: ".status.queue.because", priority: 1 },
];

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

export function opalJobCrd(): Record<string, unknown> {
  return {
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: `opaljobs.${GROUP}` },
    spec: {
      group: GROUP,
      scope: "Namespaced",
      names: {
        kind: "OpalJob",
        listKind: "OpalJobList",
        plural: "opaljobs",
        singular: "opaljob",
        shortNames: ["oj"],
        categories: ["opal"],
      },
      versions: [
        {
          name: VERSION,
          served: true,
          storage: true,
          subresources: { status: {} },
          additionalPrinterColumns: OPALJOB_COLUMNS,
          schema: {
            openAPIV3Schema: {
              type: "object",
              description: "One batch of product photos and what is to become of them.",
              required: ["spec"],
              properties: {
                apiVersion: { type: "string" },
                kind: { type: "string" },
                metadata: { type: "object" },
                spec: structuralSchema(OpalJobSpec),
                status: structuralSchema(OpalJobStatus),
              },
              "x-kubernetes-validations": OBJECT_RULES,
            },
          },
        },
      ],
    },
  };
}

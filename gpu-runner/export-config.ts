import * as z from "zod";
import { BadSettings, blobAccess, withoutEmpty } from "./config.ts";

/** The settings of the export worker, as environment variables. */
const Env = z
  .object({
    OPAL_SERVICEBUS_NAMESPACE: z.string().min(1).optional(),
    OPAL_SERVICEBUS_CONNECTION_STRING_FILE: z.string().min(1).optional(),
    OPAL_DATABASE_URL_FILE: z.string().min(1),
    OPAL_BLOB_ENDPOINT: z.url().optional(),
    OPAL_BLOB_CONNECTION_STRING_FILE: z.string().min(1).optional(),
    OPAL_EXPORT_CONCURRENCY: z.coerce.number().int().min(1).max(64).default(1),
    /** The queue's MaxDeliveryCount: at the last delivery the item is told to have failed. */
    OPAL_EXPORT_MAX_DELIVERIES: z.coerce.number().int().min(1).max(2000).default(10),
    /** PEM, the signer's own first: with its key, every export carries signed content credentials. */
    OPAL_C2PA_CERTIFICATE_FILE: z.string().min(1).optional(),
    OPAL_C2PA_KEY_FILE: z.string().min(1).optional(),
    OPAL_GRACE_SECONDS: z.coerce.number().min(0).max(3600).default(20),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
  })
  .refine(
    (env) =>
      (env.OPAL_SERVICEBUS_NAMESPACE === undefined) !==
      (env.OPAL_SERVICEBUS_CONNECTION_STRING_FILE === undefined),
    {
      path: ["OPAL_SERVICEBUS_NAMESPACE"],
      error:
        "give either OPAL_SERVICEBUS_NAMESPACE (managed identity) or OPAL_SERVICEBUS_CONNECTION_STRING_FILE",
    },
  )
  .refine(
    (env) => (env.OPAL_BLOB_ENDPOINT === undefined) !== (env.OPAL_BLOB_CONNECTION_STRING_FILE === undefined),
    {
      path: ["OPAL_BLOB_ENDPOINT"],
      error: "give either OPAL_BLOB_ENDPOINT (managed identity) or OPAL_BLOB_CONNECTION_STRING_FILE",
    },
  )
  .refine(
    (env) => (env.OPAL_C2PA_CERTIFICATE_FILE === undefined) === (env.OPAL_C2PA_KEY_FILE === undefined),
    {
      path: ["OPAL_C2PA_KEY_FILE"],
      error: "give OPAL_C2PA_CERTIFICATE_FILE and OPAL_C2PA_KEY_FILE together, or neither",
    },
  )
  .transform((env) => ({
    serviceBus:
      env.OPAL_SERVICEBUS_NAMESPACE === undefined
        ? { by: "connection-string" as const, file: env.OPAL_SERVICEBUS_CONNECTION_STRING_FILE ?? "" }
        : { by: "identity" as const, namespace: env.OPAL_SERVICEBUS_NAMESPACE },
    databaseUrlFile: env.OPAL_DATABASE_URL_FILE,
    blob: blobAccess(env.OPAL_BLOB_ENDPOINT, env.OPAL_BLOB_CONNECTION_STRING_FILE),
    credentials:
      env.OPAL_C2PA_CERTIFICATE_FILE === undefined
        ? undefined
        : { certificateFile: env.OPAL_C2PA_CERTIFICATE_FILE, keyFile: env.OPAL_C2PA_KEY_FILE ?? "" },
    concurrency: env.OPAL_EXPORT_CONCURRENCY,
    maxDeliveries: env.OPAL_EXPORT_MAX_DELIVERIES,
    graceSeconds: env.OPAL_GRACE_SECONDS,
    logLevel: env.LOG_LEVEL,
  }));

export type ExportConfig = z.infer<typeof Env>;

/** @throws {BadSettings} with all problems at once. */
export function parseExportConfig(env: Readonly<Record<string, string | undefined>>): ExportConfig {
  const parsed = Env.safeParse(withoutEmpty(env));
  if (!parsed.success) throw new BadSettings(`bad environment\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

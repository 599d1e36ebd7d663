import * as z from "zod";
import { dnsLabel } from "#crds/opaljob.ts";

/**
 * The api's settings: read from the environment once, by main.ts. Secrets come as paths of files, so that a
 * Config never holds one and may be logged. Every role checks only what it uses.
 */

export const ROLES = ["serve", "intake", "project", "relay", "migrate"] as const;
export const Role = z.enum(ROLES);
export type Role = z.infer<typeof Role>;

export class ConfigError extends Error {
  override readonly name = "ConfigError";
}

type Environment = Readonly<Record<string, string | undefined>>;
/** Says why a file cannot be read, or nothing when it can. */
export type FileCheck = (path: string) => string | undefined;

const seconds = (fallback: number, limits: { min: number; max: number }) =>
  z.coerce.number().min(limits.min).max(limits.max).default(fallback);
const count = (fallback: number, limits: { min: number; max: number }) =>
  z.coerce.number().int().min(limits.min).max(limits.max).default(fallback);

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const MIB = 1024 * 1024;

function schemas(check: FileCheck) {
  const file = z
    .string("is not set")
    .min(1)
    .superRefine((path, context) => {
      const problem = check(path);
      if (problem !== undefined) context.addIssue({ code: "custom", message: `cannot be read: ${problem}` });
    });

  const base = z.object({
    OPAL_DATABASE_URL_FILE: file,
    OPAL_DATABASE_CONNECTIONS: count(10, { min: 2, max: 200 }),
    OPAL_PORT: count(8080, { min: 0, max: 65_535 }),
    OPAL_SHUTDOWN_SECONDS: seconds(20, { min: 1, max: 300 }),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "silent"]).default("info"),
  });
  const blob = z.object({
    OPAL_BLOB_ENDPOINT: z.url().optional(),
    OPAL_BLOB_CONNECTION_STRING_FILE: file.optional(),
  });
  const bus = z.object({
    OPAL_SERVICEBUS_NAMESPACE: z.hostname().optional(),
    OPAL_SERVICEBUS_CONNECTION_STRING_FILE: file.optional(),
  });
  const cluster = z.object({ OPAL_NAMESPACE: z.string("is not set").pipe(dnsLabel()) });

  return {
    serve: base.extend(blob.shape).extend({
      OPAL_API_KEYS_FILE: file,
      OPAL_MAX_ITEMS_PER_JOB: count(1000, { min: 1, max: 1000 }),
      OPAL_MAX_UPLOAD_BYTES: count(50 * MIB, { min: 1, max: 2 ** 31 - 1 }),
      OPAL_UPLOAD_URL_SECONDS: seconds(15 * MINUTE, { min: 30, max: DAY }),
      OPAL_UPLOAD_WINDOW_SECONDS: seconds(DAY, { min: 1, max: 30 * DAY }),
      OPAL_READ_URL_SECONDS: seconds(15 * MINUTE, { min: 30, max: DAY }),
    }),
    relay: base.extend(bus.shape).extend({
      OPAL_SWEEP_SECONDS: seconds(5, { min: 0.1, max: HOUR }),
      OPAL_JOB_RESEND_SECONDS: seconds(2 * MINUTE, { min: 1, max: DAY }),
      OPAL_EXPORT_RESEND_SECONDS: seconds(HOUR, { min: 1, max: 7 * DAY }),
      OPAL_EXPORT_MAX_SENDS: count(24, { min: 1, max: 1000 }),
      OPAL_OUTBOX_RETENTION_SECONDS: seconds(7 * DAY, { min: 1, max: 365 * DAY }),
      OPAL_IDEMPOTENCY_KEY_SECONDS: seconds(DAY, { min: 1, max: 30 * DAY }),
    }),
    intake: base
      .extend(bus.shape)
      .extend(cluster.shape)
      .extend({
        OPAL_INTAKE_CONCURRENCY: count(8, { min: 1, max: 100 }),
        OPAL_MAX_GPUS_PER_JOB: count(8, { min: 1, max: 1000 }),
        OPAL_OPALJOB_TTL_SECONDS: count(DAY, { min: 0, max: 30 * DAY }),
      }),
    project: base
      .extend(blob.shape)
      .extend(cluster.shape)
      .extend({
        OPAL_PROJECT_CONCURRENCY: count(4, { min: 1, max: 100 }),
        OPAL_RESYNC_SECONDS: seconds(5 * MINUTE, { min: 0.1, max: HOUR }),
      }),
    migrate: base,
  };
}

export type BlobAccess =
  { readonly connectionStringFile: string } | { readonly endpoint: string; readonly identity: "managed" };
export type BusAccess =
  { readonly connectionStringFile: string } | { readonly namespace: string; readonly identity: "managed" };

type Schemas = ReturnType<typeof schemas>;
type Access<R extends Role> = (R extends "serve" | "project" ? { readonly blob: BlobAccess } : unknown) &
  (R extends "relay" | "intake" ? { readonly bus: BusAccess } : unknown);
export type Config<R extends Role> = z.infer<Schemas[R]> & Access<R>;

/**
 * @throws {ConfigError} that lists everything that is wrong with the environment.
 */
export function parseConfig<R extends Role>(role: R, env: Environment, check: FileCheck): Config<R> {
  const schema: z.ZodType<Record<string, unknown>> = schemas(check)[role];
  const parsed = schema.safeParse(withoutEmpty(env));
  const problems = parsed.success
    ? []
    : parsed.error.issues.map((issue) => `${issue.path.join(".")}: ${issue.message}`);
  problems.push(...missingAccess(role, env));
  if (!parsed.success || problems.length > 0) {
    throw new ConfigError(`the environment of "${role}" is not usable:\n  ${problems.sort().join("\n  ")}`);
  }
  return { ...parsed.data, ...access(env) } as Config<R>;
}

/** `NAME=` in an environment file means "not set". */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value !== ""));
}

const ACCESS = [
  {
    roles: ["serve", "project"],
    secret: "OPAL_BLOB_CONNECTION_STRING_FILE",
    managed: "OPAL_BLOB_ENDPOINT",
  },
  {
    roles: ["relay", "intake"],
    secret: "OPAL_SERVICEBUS_CONNECTION_STRING_FILE",
    managed: "OPAL_SERVICEBUS_NAMESPACE",
  },
] as const;

function missingAccess(role: Role, env: Environment): string[] {
  return ACCESS.filter(
    (way) => way.roles.some((one) => one === role) && !env[way.secret] && !env[way.managed],
  ).map((way) => `${way.managed}: set it (managed identity), or set ${way.secret}`);
}

function access(env: Environment): { blob?: BlobAccess; bus?: BusAccess } {
  const blobFile = env["OPAL_BLOB_CONNECTION_STRING_FILE"];
  const endpoint = env["OPAL_BLOB_ENDPOINT"];
  const busFile = env["OPAL_SERVICEBUS_CONNECTION_STRING_FILE"];
  const namespace = env["OPAL_SERVICEBUS_NAMESPACE"];
  return {
    ...(blobFile
      ? { blob: { connectionStringFile: blobFile } }
      : endpoint && { blob: { endpoint, identity: "managed" } }),
    ...(busFile
      ? { bus: { connectionStringFile: busFile } }
      : namespace && { bus: { namespace, identity: "managed" } }),
  };
}

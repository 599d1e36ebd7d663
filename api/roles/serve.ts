import { Histogram } from "prom-client";
import { createApp } from "../app.ts";
import { ApiKeys, createKeyRing } from "../auth.ts";
import { type Config, ConfigError } from "../config.ts";
import { createHealthApp } from "../health.ts";
import { ID_ENTROPY_BYTES, sortableId } from "../ids.ts";
import { createJobStore } from "../store/jobs.ts";
import { migrate } from "../store/migrate.ts";
import { createUploadStore } from "../store/uploads.ts";
import * as z from "zod";
import { connectBlob } from "./connect-blob.ts";
import { connectDatabase } from "./connect-database.ts";
import { type RoleContext, assertReachable, listen } from "./role.ts";

/** The HTTP api. Brings the schema up to date before it listens. @returns its port. */
export async function startServe(config: Config<"serve">, context: RoleContext): Promise<number> {
  const { log, now, randomBytes, registry } = context;
  const tenantOf = createKeyRing(await readKeys(config.OPAL_API_KEYS_FILE, context));
  const sql = await connectDatabase(config, "serve", context);
  const applied = await migrate(sql);
  if (applied.length > 0) log.info({ applied }, "migrated");

  const app = createHealthApp({ checks: { database: () => assertReachable(sql) }, registry });
  const api = createApp({
    jobs: createJobStore(sql),
    uploads: createUploadStore(sql),
    blobs: await connectBlob(config.blob, context),
    now,
    newId: () => sortableId(now(), randomBytes(ID_ENTROPY_BYTES)),
    limits: {
      maxItemsPerJob: config.OPAL_MAX_ITEMS_PER_JOB,
      maxUploadBytes: config.OPAL_MAX_UPLOAD_BYTES,
      uploadUrlSeconds: config.OPAL_UPLOAD_URL_SECONDS,
      uploadWindowSeconds: config.OPAL_UPLOAD_WINDOW_SECONDS,
      readUrlSeconds: config.OPAL_READ_URL_SECONDS,
    },
    tenantOf,
    log,
    requestSeconds: new Histogram({
      name: "opal_http_request_duration_seconds",
      help: "Time from a request's head to its answer.",
      labelNames: ["method", "route", "status"],
      registers: [registry],
    }),
  });
  app.mount("/", api.fetch);
  return listen(app, config.OPAL_PORT, context);
}

async function readKeys(path: string, { readFile }: RoleContext): Promise<ApiKeys> {
  const text = await readFile(path);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new ConfigError("OPAL_API_KEYS_FILE: is not JSON", { cause: error });
  }
  const keys = ApiKeys.safeParse(json);
  if (!keys.success) throw new ConfigError(`OPAL_API_KEYS_FILE: ${z.prettifyError(keys.error)}`);
  return keys.data;
}

import * as z from "zod";
import { DEFAULT_SCENES, OWN_SCENE_MODEL, REFUSED_WORDS, SceneSettings } from "./stages/scene-settings.ts";

const megapixels = (fallback: number) => z.coerce.number().min(0.01).max(1000).default(fallback);

/** The settings of a runner pod, as environment variables. */
const Env = z
  .object({
    OPAL_MANIFEST_DIR: z.string().min(1),
    JOB_COMPLETION_INDEX: z.coerce.number().int().min(0),
    POD_NAME: z.string().min(1),
    POD_NAMESPACE: z.string().min(1),
    OPAL_MODELS_DIR: z.string().min(1),
    OPAL_BLOB_ENDPOINT: z.url().optional(),
    OPAL_BLOB_CONNECTION_STRING_FILE: z.string().min(1).optional(),
    OPAL_EXECUTION_PROVIDER: z.enum(["cpu", "cuda"]),
    OPAL_INTRA_OP_THREADS: z.coerce.number().int().min(1).max(256).optional(),
    OPAL_UPSCALER_QUALITY: z.enum(["fast", "fine"]).default("fast"),
    OPAL_TERMINATION_LOG: z.string().min(1).default("/dev/termination-log"),
    OPAL_SERVICE_ACCOUNT_DIR: z.string().min(1).default("/var/run/secrets/kubernetes.io/serviceaccount"),
    KUBERNETES_SERVICE_HOST: z.string().min(1).optional(),
    KUBERNETES_SERVICE_PORT: z.coerce.number().int().min(1).max(65_535).default(443),
    OPAL_GRACE_SECONDS: z.coerce.number().min(0).max(3600).default(20),
    OPAL_HIGH_WATER_MEBIBYTES: z.coerce.number().int().min(512).max(1_048_576).default(3072),
    OPAL_MAX_SOURCE_MEBIBYTES: z.coerce.number().int().min(1).max(1024).default(50),
    OPAL_MAX_SOURCE_MEGAPIXELS: megapixels(100),
    OPAL_WORKING_PIXELS: z.coerce.number().int().min(256).max(8192).default(2048),
    OPAL_MAX_FINAL_MEGAPIXELS: megapixels(12),
    OPAL_SCENE_MODEL: SceneSettings.shape.model.default(OWN_SCENE_MODEL),
    OPAL_SCENE_STEPS: z.coerce.number().pipe(SceneSettings.shape.steps.unwrap()).optional(),
    OPAL_SCENE_GUIDANCE: z.coerce.number().pipe(SceneSettings.shape.guidance.unwrap()).optional(),
    OPAL_SCENE_SCHEDULER: SceneSettings.shape.scheduler,
    OPAL_SCENE_TRIES: z.coerce.number().pipe(SceneSettings.shape.tries).default(DEFAULT_SCENES.tries),
    OPAL_REFUSED_PROMPT_WORDS: z.string().default(REFUSED_WORDS.join(",")),
    LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
  })
  .refine(
    (env) => (env.OPAL_BLOB_ENDPOINT === undefined) !== (env.OPAL_BLOB_CONNECTION_STRING_FILE === undefined),
    {
      path: ["OPAL_BLOB_ENDPOINT"],
      error: "give either OPAL_BLOB_ENDPOINT (managed identity) or OPAL_BLOB_CONNECTION_STRING_FILE",
    },
  )
  .transform((env) => ({
    manifestDir: env.OPAL_MANIFEST_DIR,
    shard: env.JOB_COMPLETION_INDEX,
    pod: { name: env.POD_NAME, namespace: env.POD_NAMESPACE },
    modelsDir: env.OPAL_MODELS_DIR,
    blob: blobAccess(env.OPAL_BLOB_ENDPOINT, env.OPAL_BLOB_CONNECTION_STRING_FILE),
    executionProvider: env.OPAL_EXECUTION_PROVIDER,
    /** Absent: as many as the process may use. */
    intraOpThreads: env.OPAL_INTRA_OP_THREADS,
    upscalerQuality: env.OPAL_UPSCALER_QUALITY,
    terminationLog: env.OPAL_TERMINATION_LOG,
    serviceAccountDir: env.OPAL_SERVICE_ACCOUNT_DIR,
    /** Absent outside a cluster: progress is then not published. */
    apiServer: env.KUBERNETES_SERVICE_HOST && {
      host: env.KUBERNETES_SERVICE_HOST,
      port: env.KUBERNETES_SERVICE_PORT,
    },
    graceSeconds: env.OPAL_GRACE_SECONDS,
    /** Models are opened anew between two items once the process holds more. */
    highWaterMiB: env.OPAL_HIGH_WATER_MEBIBYTES,
    maxSourceBytes: env.OPAL_MAX_SOURCE_MEBIBYTES * 1024 * 1024,
    maxSourceMegapixels: env.OPAL_MAX_SOURCE_MEGAPIXELS,
    workingPixels: env.OPAL_WORKING_PIXELS,
    maxFinalPixels: env.OPAL_MAX_FINAL_MEGAPIXELS * 1e6,
    scenes: scenesOf(env),
    logLevel: env.LOG_LEVEL,
  }));

interface SceneEnv {
  readonly OPAL_SCENE_MODEL: string;
  readonly OPAL_SCENE_STEPS?: number | undefined;
  readonly OPAL_SCENE_GUIDANCE?: number | undefined;
  readonly OPAL_SCENE_SCHEDULER?: SceneSettings["scheduler"];
  readonly OPAL_SCENE_TRIES: number;
  readonly OPAL_REFUSED_PROMPT_WORDS: string;
}

/** What is not set is absent: the settings stand in recipes, where undefined does not exist. */
function scenesOf(env: SceneEnv): SceneSettings {
  return {
    model: env.OPAL_SCENE_MODEL,
    ...(env.OPAL_SCENE_STEPS !== undefined && { steps: env.OPAL_SCENE_STEPS }),
    ...(env.OPAL_SCENE_GUIDANCE !== undefined && { guidance: env.OPAL_SCENE_GUIDANCE }),
    ...(env.OPAL_SCENE_SCHEDULER !== undefined && { scheduler: env.OPAL_SCENE_SCHEDULER }),
    tries: env.OPAL_SCENE_TRIES,
    refusedWords: env.OPAL_REFUSED_PROMPT_WORDS.split(",").map((word) => word.trim()),
  };
}

export type Config = z.infer<typeof Env>;

export type BlobAccess =
  | { readonly by: "identity"; readonly endpoint: string }
  | { readonly by: "connection-string"; readonly file: string };

/** The schema has checked that one of the two is there. */
export function blobAccess(endpoint: string | undefined, file: string | undefined): BlobAccess {
  return endpoint === undefined
    ? { by: "connection-string", file: file ?? "" }
    : { by: "identity", endpoint };
}

/** The settings cannot be used; the message lists every problem. */
export class BadSettings extends Error {
  override readonly name = "BadSettings";
}

/** Kubernetes and people write "" for what is not set. */
export function withoutEmpty(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => entry[1] !== undefined && entry[1] !== "",
    ),
  );
}

/** @throws {BadSettings} with all problems at once. */
export function parseConfig(env: Readonly<Record<string, string | undefined>>): Config {
  const parsed = Env.safeParse(withoutEmpty(env));
  if (!parsed.success) throw new BadSettings(`bad environment\n${z.prettifyError(parsed.error)}`);
  return parsed.data;
}

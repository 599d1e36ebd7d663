import { MAX_SHARD_ITEMS } from "#crds/runner-report.ts";
import { parse as parseYaml } from "yaml";
import * as z from "zod";
import { DEFAULT_SETTINGS } from "./schedule/world.ts";

/** The operator's settings: a few words in the environment, the rest in the YAML file that they name. */
const Environment = z.object({
  OPAL_CONFIG_FILE: z.string({ error: "is needed: the path of the operator's YAML file" }).min(1),
  OPAL_METRICS_PORT: z.coerce.number().int().min(0).max(65_535).default(8080),
  LOG_LEVEL: z.enum(["trace", "debug", "info", "warn", "error", "fatal", "silent"]).default("info"),
  KUBECONFIG: z.string().optional(),
  KUBERNETES_SERVICE_HOST: z.string().optional(),
  KUBERNETES_SERVICE_PORT: z.string().optional(),
});

/** Shapes that are Kubernetes' own are passed on as they are; the API server checks them. */
const Passed = z.record(z.string(), z.unknown());

const Runner = z.strictObject({
  image: z.string().min(1),
  imagePullPolicy: z.enum(["Always", "IfNotPresent", "Never"]).optional(),
  command: z.array(z.string()).optional(),
  args: z.array(z.string()).optional(),
  serviceAccountName: z.string().min(1),
  resources: z.record(z.string(), z.record(z.string(), z.union([z.string(), z.number()]))).optional(),
  env: z.array(Passed).optional(),
  envFrom: z.array(Passed).optional(),
  volumes: z.array(Passed).optional(),
  volumeMounts: z.array(Passed).optional(),
  podLabels: z.record(z.string(), z.string()).optional(),
  terminationGracePeriodSeconds: z.int().min(1).max(600).default(30),
});

const Lease = z
  .strictObject({
    name: z.string().min(1).default("opal-operator"),
    durationSeconds: z.number().positive().default(15),
    renewSeconds: z.number().positive().default(10),
    retrySeconds: z.number().positive().default(2),
  })
  .refine((lease) => lease.renewSeconds < lease.durationSeconds, {
    path: ["renewSeconds"],
    message: "must be shorter than durationSeconds: the difference is what keeps two leaders apart",
  })
  .refine((lease) => lease.retrySeconds < lease.renewSeconds, {
    path: ["retrySeconds"],
    message: "must be shorter than renewSeconds: else one missed renewal ends leading",
  });

const Schedule = z.strictObject({
  usageHalfLifeSeconds: z.number().min(1).default(DEFAULT_SETTINGS.usageHalfLifeSeconds),
  minRunSeconds: z.number().min(0).default(DEFAULT_SETTINGS.minRunSeconds),
  reloadSeconds: z.number().min(0).default(DEFAULT_SETTINGS.reloadSeconds),
  backfillPatienceSeconds: z.number().min(0).default(DEFAULT_SETTINGS.backfillPatienceSeconds),
  assumedSecondsPerImage: z.number().positive().default(DEFAULT_SETTINGS.assumedSecondsPerImage),
});

const ConfigFile = z.strictObject({
  namespace: z.string().min(1),
  shardSize: z.int().min(1).max(MAX_SHARD_ITEMS).default(8),
  coalesce: z.strictObject({ maxItems: z.int().min(0).max(MAX_SHARD_ITEMS).default(16) }).prefault({}),
  runner: Runner,
  schedule: Schedule.prefault({}),
  kueue: z.boolean().default(false),
  unreachableSeconds: z.number().min(1).default(15),
  podStartTimeoutSeconds: z.number().min(1).default(600),
  standstillSeconds: z.number().min(1).default(5),
  statusIntervalSeconds: z.number().min(0.1).default(5),
  settleSeconds: z.number().min(0).max(60).default(1.5),
  poolStatusIntervalSeconds: z.number().min(1).default(5),
  waitingStatuses: z
    .strictObject({
      perSecond: z.number().positive().default(5),
      burst: z.int().min(1).default(50),
    })
    .prefault({}),
  backgroundIntervalSeconds: z.number().min(1).default(30),
  childTtlSeconds: z.int().min(60).default(86_400),
  staleWatchSeconds: z.number().min(1).default(90),
  workers: z.int().min(1).max(64).default(16),
  lease: Lease.prefault({}),
  writes: z
    .strictObject({
      perSecond: z.number().positive().default(100),
      burst: z.int().min(1).default(200),
    })
    .prefault({}),
});

export interface Config extends z.infer<typeof ConfigFile> {
  readonly metricsPort: number;
  readonly logLevel: string;
  readonly access: {
    readonly kubeconfig: string | undefined;
    readonly serviceHost: string | undefined;
    readonly servicePort: string | undefined;
  };
}

/**
 * @param env the environment's variables
 * @param readFile gives the text of the file that OPAL_CONFIG_FILE names
 * @throws {Error} whose message lists all problems at once, one a line
 */
export function parseConfig(
  env: Readonly<Record<string, string | undefined>>,
  readFile: (path: string) => string,
): Config {
  const environment = Environment.safeParse(env);
  const problems = environment.success ? [] : listProblems("environment", environment.error);
  const path = env["OPAL_CONFIG_FILE"];
  const file = path ? readConfigFile(path, readFile) : undefined;
  if (file && !file.success) problems.push(...file.problems);
  if (problems.length > 0 || !environment.success || !file?.success) {
    throw new Error(`bad configuration\n${problems.map((problem) => `  ${problem}`).join("\n")}`);
  }
  const { data } = environment;
  return {
    ...file.data,
    metricsPort: data.OPAL_METRICS_PORT,
    logLevel: data.LOG_LEVEL,
    access: {
      kubeconfig: data.KUBECONFIG,
      serviceHost: data.KUBERNETES_SERVICE_HOST,
      servicePort: data.KUBERNETES_SERVICE_PORT,
    },
  };
}

type FileResult =
  { success: true; data: z.infer<typeof ConfigFile> } | { success: false; problems: string[] };

function readConfigFile(path: string, readFile: (path: string) => string): FileResult {
  let raw: unknown;
  try {
    raw = parseYaml(readFile(path));
  } catch (error) {
    const words = error instanceof Error ? error.message : String(error);
    return { success: false, problems: [`${path}: ${words}`] };
  }
  const parsed = ConfigFile.safeParse(raw);
  if (parsed.success) return { success: true, data: parsed.data };
  return { success: false, problems: listProblems(path, parsed.error) };
}

function listProblems(where: string, error: z.ZodError): string[] {
  return error.issues.map((issue) => `${where}: ${issue.path.join(".")}: ${issue.message}`);
}

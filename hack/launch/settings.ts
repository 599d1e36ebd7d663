/** What each part is told, as plain values: the same words that a Helm chart would render. Pure. */

import { API_VERSION, LABELS } from "#crds/names.ts";
import { DEFAULT_QUEUE } from "#crds/opalqueue.ts";

export const NAMESPACE = "opal";
export const RUNNER_IMAGE = "opal/runner";
const RUNNER_SECRET = "opal-runner-blob";
const BLOB_MOUNT = "/etc/opal/blob";
const CONNECTION_STRING_KEY = "connection-string";

export interface LeaseSettings {
  readonly durationSeconds: number;
  readonly renewSeconds: number;
  readonly retrySeconds: number;
}

export interface OperatorSettings {
  readonly modelsDir: string;
  readonly threadsPerRunner: number;
  readonly lease: LeaseSettings;
  /** Further environment of the runners. */
  readonly runnerEnv?: Readonly<Record<string, string>> | undefined;
}

/** The operator's YAML file, as an object. */
export function operatorConfig({ modelsDir, threadsPerRunner, lease, runnerEnv = {} }: OperatorSettings) {
  return {
    namespace: NAMESPACE,
    statusIntervalSeconds: 1,
    lease,
    runner: {
      image: RUNNER_IMAGE,
      serviceAccountName: "opal-runner",
      terminationGracePeriodSeconds: 30,
      env: [
        { name: "OPAL_EXECUTION_PROVIDER", value: "cpu" },
        { name: "OPAL_INTRA_OP_THREADS", value: String(threadsPerRunner) },
        { name: "OPAL_MODELS_DIR", value: modelsDir },
        { name: "OPAL_BLOB_CONNECTION_STRING_FILE", value: `${BLOB_MOUNT}/${CONNECTION_STRING_KEY}` },
        { name: "OPAL_TERMINATION_LOG", value: "/dev/termination-log" },
        { name: "OPAL_SERVICE_ACCOUNT_DIR", value: "/var/run/secrets/kubernetes.io/serviceaccount" },
        ...Object.entries(runnerEnv).map(([name, value]) => ({ name, value })),
      ],
      volumes: [{ name: "blob", secret: { secretName: RUNNER_SECRET } }],
      volumeMounts: [{ name: "blob", mountPath: BLOB_MOUNT, readOnly: true }],
    },
  };
}

/** GPU nodes of one kind, simulated on one node. */
export interface PoolSettings {
  readonly name: string;
  readonly gpuClass: string;
  readonly gpus: number;
  /** Further fields of the GpuPool's spec: price, spot, time-outs. */
  readonly spec?: Readonly<Record<string, unknown>>;
}

/** The GpuPools, and one OpalQueue for everybody who has none of their own. */
export function poolsAndQueue(pools: readonly PoolSettings[]): object[] {
  return [
    ...pools.map(({ name, gpuClass, gpus, spec }) => ({
      apiVersion: API_VERSION,
      kind: "GpuPool",
      metadata: { name },
      spec: {
        gpuClass,
        vramGiB: 16,
        maxGpus: gpus,
        nodeSelector: { [LABELS.gpuClass]: gpuClass },
        ...spec,
      },
    })),
    { apiVersion: API_VERSION, kind: "OpalQueue", metadata: { name: DEFAULT_QUEUE }, spec: {} },
  ];
}

/** The Secret that runner pods read their blob access from. */
export function runnerSecret(connectionString: string) {
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: RUNNER_SECRET, namespace: NAMESPACE },
    stringData: { [CONNECTION_STRING_KEY]: connectionString },
  };
}

const serviceAccount = (name: string) => ({
  user: `system:serviceaccount:${NAMESPACE}:opal-${name}`,
  groups: ["system:serviceaccounts", `system:serviceaccounts:${NAMESPACE}`],
  namespace: NAMESPACE,
});

/** One kubeconfig each, bound to the rights of charts/opal/rbac.yaml; `engineer` is the person at the keyboard. */
export const IDENTITIES = [
  { name: "engineer", user: "engineer", groups: ["system:masters"], namespace: NAMESPACE },
  { name: "operator", ...serviceAccount("operator") },
  { name: "api", ...serviceAccount("api") },
];

export const ROLES = ["operator", "serve", "relay", "intake", "project", "export"] as const;
export type RoleName = (typeof ROLES)[number];

/** Files with secrets and settings, by what they hold. */
export interface RoleFiles {
  readonly operatorConfig: string;
  readonly databaseUrl: string;
  readonly exportDatabaseUrl: string;
  readonly blob: string;
  readonly serviceBus: string;
  readonly apiKeys: string;
  readonly kubeconfig: (identity: "operator" | "api") => string;
}

export interface RoleProgram {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

export interface RoleSettings {
  readonly files: RoleFiles;
  /** 0: any free one. */
  readonly port: number;
  /** Further environment of the api's roles, upload window or sweep interval for example. */
  readonly tuning: Readonly<Record<string, string>>;
}

export function roleProgram(role: RoleName, { files, port, tuning }: RoleSettings): RoleProgram {
  const database = { OPAL_DATABASE_URL_FILE: files.databaseUrl, OPAL_PORT: String(port), ...tuning };
  const blob = { OPAL_BLOB_CONNECTION_STRING_FILE: files.blob };
  const bus = { OPAL_SERVICEBUS_CONNECTION_STRING_FILE: files.serviceBus };
  const cluster = { KUBECONFIG: files.kubeconfig("api"), OPAL_NAMESPACE: NAMESPACE };
  const api = (env: Record<string, string>) => ({
    program: "api/main.ts",
    args: [role],
    env: { ...database, ...env },
  });
  switch (role) {
    case "operator":
      return {
        program: "operator/main.ts",
        args: [],
        env: {
          OPAL_CONFIG_FILE: files.operatorConfig,
          OPAL_METRICS_PORT: String(port),
          KUBECONFIG: files.kubeconfig("operator"),
        },
      };
    case "serve":
      return api({ ...blob, OPAL_API_KEYS_FILE: files.apiKeys });
    case "relay":
      return api(bus);
    case "intake":
      return api({ ...bus, ...cluster });
    case "project":
      return api({ ...blob, ...cluster });
    case "export":
      return {
        program: "gpu-runner/export.ts",
        args: [],
        env: { ...blob, ...bus, OPAL_DATABASE_URL_FILE: files.exportDatabaseUrl },
      };
    default:
      return role satisfies never;
  }
}

/**
 * Kueue's manifests for a manager that is a process beside the API server and not a pod. The API server finds its
 * webhooks by a Service of the type ExternalName, so that names and certificates stay those of an installation.
 */
import { parseAllDocuments } from "yaml";
import * as z from "zod";

export const KUEUE_NAMESPACE = "kueue-system";
const WEBHOOK_SERVICE = "kueue-webhook-service";
export const WEBHOOK_SECRET = "kueue-webhook-server-cert";

export interface Ports {
  readonly webhook: number;
  readonly metrics: number;
  readonly health: number;
}

/** The namespace, the secret that the manager fills with certificates, and the way to its webhooks. */
export function baseObjects(): object[] {
  const metadata = (name: string) => ({ name, namespace: KUEUE_NAMESPACE });
  return [
    { apiVersion: "v1", kind: "Namespace", metadata: { name: KUEUE_NAMESPACE } },
    { apiVersion: "v1", kind: "Secret", metadata: metadata(WEBHOOK_SECRET) },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata(WEBHOOK_SERVICE),
      spec: { type: "ExternalName", externalName: "localhost" },
    },
  ];
}

const ClientConfig = z.looseObject({ service: z.looseObject({ path: z.string() }) });
const Crd = z.looseObject({ metadata: z.looseObject({ name: z.string() }), spec: z.looseObject({}) });
const CrdPatch = z.object({
  metadata: z.object({ name: z.string() }),
  spec: z.object({
    conversion: z.looseObject({ webhook: z.looseObject({ clientConfig: ClientConfig }) }),
  }),
});

/** The kinds that Kueue's own installation converts between versions. */
const CONVERTED = ["clusterqueues", "cohorts", "localqueues", "multikueueclusters", "workloads"].map(
  (plural) => `${plural}.kueue.x-k8s.io`,
);

/** @param bases,patches YAML texts of the module's CRDs and of the patches that name their conversion webhooks */
export function crdObjects(
  bases: readonly string[],
  patches: readonly string[],
  webhookPort: number,
): object[] {
  const conversions = new Map(
    documentsIn(patches).flatMap((document) => {
      const { success, data } = CrdPatch.safeParse(document);
      return success ? [[data.metadata.name, data.spec.conversion] as const] : [];
    }),
  );
  return documentsIn(bases).map((document) => {
    const crd = Crd.parse(document);
    if (!CONVERTED.includes(crd.metadata.name)) return crd;
    const conversion = conversions.get(crd.metadata.name);
    if (!conversion) throw new Error(`there is no conversion patch for ${crd.metadata.name}`);
    const clientConfig = toService(conversion.webhook.clientConfig, webhookPort);
    return {
      ...crd,
      spec: { ...crd.spec, conversion: { ...conversion, webhook: { ...conversion.webhook, clientConfig } } },
    };
  });
}

const WebhookConfiguration = z.looseObject({
  metadata: z.looseObject({ name: z.string() }),
  webhooks: z.array(z.looseObject({ clientConfig: ClientConfig })),
});

/** The manager serves the webhooks of its integrations only; one without an answer would refuse every write. */
const SERVED = /kueue-x-k8s-io|batch-v1-job/;

/** @param text YAML of the module's webhook configurations */
export function webhookObjects(text: string, webhookPort: number): object[] {
  return documentsIn([text]).map((document) => {
    const configuration = WebhookConfiguration.parse(document);
    return {
      ...configuration,
      metadata: { name: `kueue-${configuration.metadata.name}` },
      webhooks: configuration.webhooks
        .filter(({ clientConfig }) => SERVED.test(clientConfig.service.path))
        .map((webhook) => ({ ...webhook, clientConfig: toService(webhook.clientConfig, webhookPort) })),
    };
  });
}

function toService({ service }: z.infer<typeof ClientConfig>, port: number): object {
  return { service: { path: service.path, name: WEBHOOK_SERVICE, namespace: KUEUE_NAMESPACE, port } };
}

/** As shipped, but for Jobs alone and without an election. */
export function managerConfig(ports: Ports, certDir: string): object {
  return {
    apiVersion: "config.kueue.x-k8s.io/v1beta2",
    kind: "Configuration",
    namespace: KUEUE_NAMESPACE,
    health: { healthProbeBindAddress: `127.0.0.1:${ports.health}` },
    metrics: { bindAddress: `127.0.0.1:${ports.metrics}` },
    webhook: { port: ports.webhook, host: "127.0.0.1", certDir },
    leaderElection: { leaderElect: false },
    controller: {
      groupKindConcurrency: {
        "Job.batch": 5,
        Pod: 5,
        "Workload.kueue.x-k8s.io": 10,
        "LocalQueue.kueue.x-k8s.io": 5,
        "Cohort.kueue.x-k8s.io": 1,
        "ClusterQueue.kueue.x-k8s.io": 5,
        "ResourceFlavor.kueue.x-k8s.io": 1,
      },
    },
    clientConnection: { qps: 300, burst: 500 },
    integrations: { frameworks: ["batch/job"] },
  };
}

function documentsIn(texts: readonly string[]): unknown[] {
  return texts.flatMap((text) => parseAllDocuments(text).map((document): unknown => document.toJS()));
}

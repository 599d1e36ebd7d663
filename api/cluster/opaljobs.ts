/** OpalJobs in the cluster: create, list, watch, and take the api's finalizer off. */
import { ApiException, CustomObjectsApi, type KubeConfig } from "@kubernetes/client-node";
import * as z from "zod";
import { API_VERSION, GROUP, LABELS, PROJECTION_FINALIZER, VERSION } from "#crds/names.ts";
import { OpalJob, type OpalJobSpec } from "#crds/opaljob.ts";
import { streamWatch } from "./watch-stream.ts";

export interface NewOpalJob {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly spec: z.input<typeof OpalJobSpec>;
}

/** `invalid`: the API server refuses this object, and will refuse it every time. */
export type Creation =
  { readonly outcome: "created" | "exists" } | { readonly outcome: "invalid"; readonly message: string };

export type WatchEvent =
  { readonly type: "changed"; readonly job: OpalJob } | { readonly type: "gone"; readonly name: string };

export interface OpalJobs {
  create(job: NewOpalJob): Promise<Creation>;
  has(name: string): Promise<boolean>;
  list(): Promise<{ readonly jobs: readonly OpalJob[]; readonly resourceVersion: string }>;
  /**
   * Follows changes since `resourceVersion` and resolves when the watch has ended, as every watch does after
   * some time.
   * @throws when it ended badly; the caller lists again either way.
   */
  watch(options: WatchOptions): Promise<void>;
  /** Harmless when the finalizer, or the whole object, is gone. @throws when the object has changed. */
  removeFinalizer(job: OpalJob): Promise<void>;
}

export interface WatchOptions {
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: WatchEvent) => void;
}

export interface OpalJobsSettings {
  readonly kubeConfig: KubeConfig;
  readonly namespace: string;
  /** Told of objects that cannot be understood; they are passed over. */
  readonly onUnreadable: (name: string, problem: string) => void;
}

const PLURAL = "opaljobs";
const PAGE = 250;
/** Objects of the api carry it; the operator's own users' objects need not. */
const SELECTOR = LABELS.tenant;

const ListPage = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(z.unknown()),
});
const Named = z.object({ metadata: z.object({ name: z.string() }) });
const ApiStatus = z.object({ message: z.string() });

export function createOpalJobs(settings: OpalJobsSettings): OpalJobs {
  const { kubeConfig, namespace, onUnreadable } = settings;
  const api = kubeConfig.makeApiClient(CustomObjectsApi);
  const at = { group: GROUP, version: VERSION, namespace, plural: PLURAL };

  const read = (object: unknown): OpalJob | undefined => {
    const parsed = OpalJob.safeParse(object);
    if (parsed.success) return parsed.data;
    onUnreadable(nameOf(object) ?? "?", z.prettifyError(parsed.error));
    return undefined;
  };

  return {
    async create({ name, labels, annotations, spec }) {
      const body = {
        apiVersion: API_VERSION,
        kind: "OpalJob",
        metadata: { name, namespace, labels, annotations, finalizers: [PROJECTION_FINALIZER] },
        spec,
      };
      try {
        await api.createNamespacedCustomObject({ ...at, body });
        return { outcome: "created" };
      } catch (error) {
        return creationRefused(error);
      }
    },

    async has(name) {
      try {
        await api.getNamespacedCustomObject({ ...at, name });
        return true;
      } catch (error) {
        if (isStatus(error, 404)) return false;
        throw error;
      }
    },

    async list() {
      const jobs: OpalJob[] = [];
      let page: z.infer<typeof ListPage> | undefined;
      do {
        const next = page?.metadata.continue;
        page = ListPage.parse(
          await api.listNamespacedCustomObject({
            ...at,
            labelSelector: SELECTOR,
            limit: PAGE,
            ...(next && { _continue: next }),
          }),
        );
        for (const item of page.items) {
          const job = read(item);
          if (job) jobs.push(job);
        }
      } while (page.metadata.continue);
      return { jobs, resourceVersion: page.metadata.resourceVersion };
    },

    watch: (options) => watch(kubeConfig, namespace, { ...options, read }),

    async removeFinalizer({ metadata }) {
      const index = metadata.finalizers.indexOf(PROJECTION_FINALIZER);
      if (index < 0) return;
      const path = `/metadata/finalizers/${index}`;
      try {
        await api.patchNamespacedCustomObject({
          ...at,
          name: metadata.name,
          body: [
            { op: "test", path: "/metadata/uid", value: metadata.uid },
            { op: "test", path, value: PROJECTION_FINALIZER },
            { op: "remove", path },
          ],
        });
      } catch (error) {
        if (!isStatus(error, 404)) throw error;
      }
    },
  };
}

function nameOf(object: unknown): string | undefined {
  const named = Named.safeParse(object);
  return named.success ? named.data.metadata.name : undefined;
}

function isStatus(error: unknown, ...codes: readonly number[]): error is ApiException<unknown> {
  return error instanceof ApiException && codes.includes(error.code);
}

function creationRefused(error: unknown): Creation {
  if (isStatus(error, 409)) return { outcome: "exists" };
  if (isStatus(error, 400, 413, 422)) return { outcome: "invalid", message: messageOf(error) };
  throw error;
}

function messageOf(error: ApiException<unknown>): string {
  const body: unknown = typeof error.body === "string" ? parseJson(error.body) : error.body;
  const status = ApiStatus.safeParse(body);
  return status.success ? status.data.message : error.message;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

interface WatchRun extends WatchOptions {
  readonly read: (object: unknown) => OpalJob | undefined;
}

const SILENCE_SECONDS = 90;
const WatchLine = z.object({ type: z.string(), object: z.unknown() });

async function watch(kubeConfig: KubeConfig, namespace: string, run: WatchRun): Promise<void> {
  await streamWatch(kubeConfig, {
    path: `/apis/${GROUP}/${VERSION}/namespaces/${namespace}/${PLURAL}`,
    query: {
      resourceVersion: run.resourceVersion,
      timeoutSeconds: String(Math.max(1, Math.round(run.timeoutSeconds))),
      labelSelector: SELECTOR,
      allowWatchBookmarks: "true",
    },
    silenceSeconds: SILENCE_SECONDS,
    signal: run.signal,
    onObject: (line) => {
      const event = WatchLine.parse(line);
      if (event.type === "ERROR") throw new Error(`the watch was ended: ${JSON.stringify(event.object)}`);
      deliver(event.type, event.object, run);
    },
  });
}

function deliver(type: string, object: unknown, { read, onEvent }: WatchRun): void {
  if (type === "DELETED") {
    const name = nameOf(object);
    if (name !== undefined) onEvent({ type: "gone", name });
    return;
  }
  if (type !== "ADDED" && type !== "MODIFIED") return;
  const job = read(object);
  if (job) onEvent({ type: "changed", job });
}

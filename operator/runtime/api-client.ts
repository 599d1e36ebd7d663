import * as z from "zod";
import { ApiStatusError } from "./errors.ts";
import type { KubeHttp, KubeRequest } from "./kube-http.ts";

/** One kind of object in one namespace, or cluster-wide without one. */
export interface Resource {
  /** Empty for the core group. */
  readonly group: string;
  readonly version: string;
  readonly plural: string;
  readonly namespace?: string;
}

export interface ListPage {
  readonly items: readonly unknown[];
  readonly resourceVersion: string;
  readonly continueToken: string | undefined;
}

export interface ListOptions {
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
  readonly limit?: number | undefined;
  readonly continueToken?: string | undefined;
  /** Names, labels and owners only (PartialObjectMetadata): for objects whose content does not matter. */
  readonly metadataOnly?: boolean | undefined;
}

/** Of the answer to a write. */
export interface AnswerOptions {
  /** Names, version, labels and owners only (PartialObjectMetadata): for a caller who knows the rest. */
  readonly metadataOnly?: boolean;
}

export interface WatchOptions extends Pick<ListOptions, "labelSelector" | "metadataOnly"> {
  readonly resourceVersion: string;
  readonly timeoutSeconds: number;
  readonly signal: AbortSignal;
}

export interface DeleteOptions {
  /** Refuses when the object of this name is another one by now. */
  readonly uid?: string;
  readonly propagationPolicy?: "Background" | "Foreground" | "Orphan";
}

export interface ApiClient {
  get(resource: Resource, name: string): Promise<unknown>;
  list(resource: Resource, options: ListOptions, signal?: AbortSignal): Promise<ListPage>;
  watch(resource: Resource, options: WatchOptions): Promise<AsyncIterable<Buffer>>;
  create(resource: Resource, body: object): Promise<unknown>;
  update(resource: Resource, name: string, body: object): Promise<unknown>;
  /** JSON merge patch. */
  patch(resource: Resource, name: string, body: object): Promise<unknown>;
  /**
   * Replaces the status by that of `body`, which needs `apiVersion`, `kind` and the name, and of a custom resource
   * nothing else: what it says beside the status is not looked at. Costs the API server less than a patch.
   */
  updateStatus(resource: Resource, name: string, body: object, answer?: AnswerOptions): Promise<unknown>;
  patchStatus(resource: Resource, name: string, body: object): Promise<unknown>;
  delete(resource: Resource, name: string, options?: DeleteOptions): Promise<void>;
}

/** Told of every request that was answered, or failed to be (code "<error>"). */
export interface ClientObserver {
  requested(facts: { verb: string; code: string; resource: string; seconds: number }): void;
}

/** Asked before each write; throws when writing is not allowed. */
export type WriteGate = () => Promise<WritePermit | undefined>;

export interface WritePermit {
  /** Ends a write that takes too long. */
  readonly signal: AbortSignal;
  /** Asked again when there is a connection for the write; throws when the permit is good no more. */
  readonly assertValid: () => void;
}

/** A proxy on the way that asks for more must not keep us away for hours. */
const MAX_RETRY_AFTER_MS = 60_000;
const MERGE_PATCH = "application/merge-patch+json";
const METADATA = "g=meta.k8s.io;v=v1";
const LIST_METADATA = `application/json;as=PartialObjectMetadataList;${METADATA}`;
const ONE_METADATA = `application/json;as=PartialObjectMetadata;${METADATA}`;

const List = z.object({
  metadata: z.object({ resourceVersion: z.string(), continue: z.string().optional() }),
  items: z.array(z.unknown()).nullable().optional(),
});
const Status = z.object({ reason: z.string().default(""), message: z.string().default("") });

export function createApiClient(deps: {
  http: KubeHttp;
  gate: WriteGate;
  observer: ClientObserver;
  /** Of one request, watches aside. */
  timeoutMs?: number;
}): ApiClient {
  const { http, gate, observer, timeoutMs } = deps;

  async function counted<T extends { status: number }>(
    facts: { verb: string; resource: Resource },
    send: () => Promise<T>,
  ): Promise<T> {
    const startedMs = performance.now();
    const report = (code: string) =>
      observer.requested({
        verb: facts.verb,
        code,
        resource: facts.resource.plural,
        seconds: (performance.now() - startedMs) / 1000,
      });
    try {
      const response = await send();
      report(String(response.status));
      return response;
    } catch (error) {
      report("<error>");
      throw error;
    }
  }

  async function ask(verb: string, resource: Resource, request: KubeRequest): Promise<unknown> {
    const response = await counted({ verb, resource }, () => http.request({ ...request, timeoutMs }));
    if (response.status >= 300) throw statusError(response, `${verb} ${request.path}`);
    return response.body === "" ? {} : (JSON.parse(response.body) as unknown);
  }

  async function write(verb: string, resource: Resource, request: KubeRequest): Promise<unknown> {
    const permit = await gate();
    return ask(verb, resource, { ...request, signal: permit?.signal, beforeSending: permit?.assertValid });
  }

  return {
    get: (resource, name) => ask("get", resource, { method: "GET", path: pathOf(resource, name) }),
    async list(resource, { labelSelector, fieldSelector, limit, continueToken, metadataOnly }, signal) {
      const page = List.parse(
        await ask("list", resource, {
          method: "GET",
          path: pathOf(resource),
          query: { labelSelector, fieldSelector, limit, continue: continueToken },
          accept: metadataOnly ? LIST_METADATA : undefined,
          signal,
        }),
      );
      return {
        items: page.items ?? [],
        resourceVersion: page.metadata.resourceVersion,
        continueToken: page.metadata.continue === "" ? undefined : page.metadata.continue,
      };
    },
    async watch(resource, { labelSelector, metadataOnly, resourceVersion, timeoutSeconds, signal }) {
      const request: KubeRequest = {
        method: "GET",
        path: pathOf(resource),
        query: { watch: true, allowWatchBookmarks: true, labelSelector, resourceVersion, timeoutSeconds },
        accept: metadataOnly ? ONE_METADATA : undefined,
        signal,
      };
      const response = await counted({ verb: "watch", resource }, () => http.stream(request));
      if (response.status < 300) return response.body;
      let body = "";
      for await (const chunk of response.body) body += chunk.toString("utf8");
      throw statusError({ ...response, body }, `watch ${request.path}`);
    },
    create: (resource, body) => write("create", resource, { method: "POST", path: pathOf(resource), body }),
    update: (resource, name, body) =>
      write("update", resource, { method: "PUT", path: pathOf(resource, name), body }),
    patch: (resource, name, body) =>
      write("patch", resource, {
        method: "PATCH",
        path: pathOf(resource, name),
        body,
        contentType: MERGE_PATCH,
      }),
    updateStatus: (resource, name, body, { metadataOnly } = {}) =>
      write("update", statusOf(resource), {
        method: "PUT",
        path: `${pathOf(resource, name)}/status`,
        body,
        accept: metadataOnly ? ONE_METADATA : undefined,
      }),
    patchStatus: (resource, name, body) =>
      write("patch", statusOf(resource), {
        method: "PATCH",
        path: `${pathOf(resource, name)}/status`,
        body,
        contentType: MERGE_PATCH,
      }),
    async delete(resource, name, { uid, propagationPolicy } = {}) {
      await write("delete", resource, {
        method: "DELETE",
        path: pathOf(resource, name),
        body: {
          kind: "DeleteOptions",
          apiVersion: "v1",
          propagationPolicy: propagationPolicy ?? "Background",
          ...(uid !== undefined && { preconditions: { uid } }),
        },
      });
    },
  };
}

/** As it is counted. */
function statusOf(resource: Resource): Resource {
  return { ...resource, plural: `${resource.plural}/status` };
}

function pathOf({ group, version, plural, namespace }: Resource, name?: string): string {
  const root = group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespace === undefined ? "" : `/namespaces/${namespace}`;
  return `${root}${scope}/${plural}${name === undefined ? "" : `/${encodeURIComponent(name)}`}`;
}

function statusError(
  response: { status: number; headers: Readonly<Record<string, unknown>>; body: string },
  doing: string,
): ApiStatusError {
  const { reason, message } = readStatus(response.body);
  const retryAfter = Number(response.headers["retry-after"]);
  return new ApiStatusError({
    status: response.status,
    reason,
    message: `${doing}: ${response.status} ${message}`,
    retryAfterMs: retryAfter > 0 ? Math.min(retryAfter * 1000, MAX_RETRY_AFTER_MS) : undefined,
  });
}

/** Proxies answer with HTML, Kubernetes with a Status object. */
function readStatus(body: string): { reason: string; message: string } {
  try {
    return Status.parse(JSON.parse(body));
  } catch {
    return { reason: "", message: body.slice(0, 200) };
  }
}

/** The bench's own way to the API server: an administrator's client, creation of many objects, and what changes. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { type ApiClient, createApiClient, type Resource } from "../../../operator/runtime/api-client.ts";
import { loadClusterAccess } from "../../../operator/runtime/cluster-access.ts";
import { createKubeHttp } from "../../../operator/runtime/kube-http.ts";

/** As many requests at once as a busy api would make. */
const CREATES_AT_ONCE = 16;
/** Longer than any round. */
const WATCH_SECONDS = 3600;

export interface Kubernetes extends ApiClient {
  close(): void;
}

export async function connect(kubeconfig: string): Promise<Kubernetes> {
  const http = createKubeHttp(await loadClusterAccess({ kubeconfig }), "opal-bench");
  const client = createApiClient({
    http,
    gate: () => Promise.resolve(undefined),
    observer: { requested() {} },
  });
  return { ...client, close: () => http.close() };
}

/** Creates all of them, in order, several at once. */
export async function createAll(
  client: ApiClient,
  resource: Resource,
  objects: readonly object[],
  onCreated: (at: number) => void,
): Promise<void> {
  const queue = objects.entries();
  const work = async () => {
    for (const [at, body] of queue) {
      await client.create(resource, body);
      onCreated(at);
    }
  };
  await Promise.all(Array.from({ length: CREATES_AT_ONCE }, work));
}

/**
 * Tells of every object that there is and of every change, until the signal is aborted.
 * @returns resolves when watching has begun; `broken` rejects when it ends unasked
 */
export async function follow(
  client: ApiClient,
  {
    resource,
    signal,
    onObject,
  }: { resource: Resource; signal: AbortSignal; onObject: (raw: unknown) => void },
): Promise<{ broken: Promise<never> }> {
  const { items, resourceVersion } = await client.list(resource, {});
  for (const item of items) onObject(item);
  const body = await client.watch(resource, { resourceVersion, timeoutSeconds: WATCH_SECONDS, signal });
  const broken = read(body, onObject).then(
    () => ended(resource, signal),
    (error: unknown) => ended(resource, signal, error),
  );
  broken.catch(() => {});
  return { broken };
}

async function read(body: AsyncIterable<Buffer>, onObject: (raw: unknown) => void): Promise<void> {
  for await (const line of createInterface({ input: Readable.from(body) })) {
    const { type, object } = JSON.parse(line) as { type: string; object: unknown };
    if (type === "ERROR") throw new Error(`the watch was refused: ${line}`);
    if (type !== "BOOKMARK" && type !== "DELETED") onObject(object);
  }
}

function ended({ plural }: Resource, signal: AbortSignal, cause?: unknown): Promise<never> {
  if (signal.aborted) return new Promise<never>(() => {});
  return Promise.reject(new Error(`the watch of ${plural} ended`, { cause }));
}

/** The bench's own way to the API server: an administrator's client, creation of many objects, and what changes. */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { type ApiClient, createApiClient, type Resource } from "../../../operator/runtime/api-client.ts";
import { loadClusterAccess } from "../../../operator/runtime/cluster-access.ts";
import { createKubeHttp } from "../../../operator/runtime/kube-http.ts";

/** As many requests at once as a busy api would make. */
const CREATES_AT_ONCE = 16;
/** Longer than any round. */
const WATCH_SECONDS = 3600;
/** Before a watch that has ended is begun anew. */
const PAUSE_MILLISECONDS = 100;

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

export interface Following {
  readonly resource: Resource;
  readonly signal: AbortSignal;
  readonly onObject: (raw: unknown) => void;
}

/**
 * Tells of every object that there is and of every change, until the signal is aborted. The API server ends the
 * watches of a kind whose definition it takes up anew: then all is told again from a new list.
 * @returns resolves when watching has begun; `broken` rejects when that goes on no longer
 */
export async function follow(client: ApiClient, following: Following): Promise<{ broken: Promise<never> }> {
  const broken = goOn(client, following, await begin(client, following));
  broken.catch(() => {});
  return { broken };
}

async function begin(
  client: ApiClient,
  { resource, signal, onObject }: Following,
): Promise<AsyncIterable<Buffer>> {
  const { items, resourceVersion } = await client.list(resource, {});
  for (const item of items) onObject(item);
  return client.watch(resource, { resourceVersion, timeoutSeconds: WATCH_SECONDS, signal });
}

async function goOn(client: ApiClient, following: Following, first: AsyncIterable<Buffer>): Promise<never> {
  const { resource, signal, onObject } = following;
  try {
    for (let body = first; ; body = await begin(client, following)) {
      await read(body, onObject);
      await sleep(PAUSE_MILLISECONDS, undefined, { signal });
    }
  } catch (cause) {
    if (signal.aborted) return new Promise<never>(() => {});
    throw new Error(`the watch of ${resource.plural} broke`, { cause });
  }
}

async function read(body: AsyncIterable<Buffer>, onObject: (raw: unknown) => void): Promise<void> {
  for await (const line of createInterface({ input: Readable.from(body) })) {
    const { type, object } = JSON.parse(line) as { type: string; object: unknown };
    if (type === "ERROR") return; // what it had is too old: a new list follows
    if (type !== "BOOKMARK" && type !== "DELETED") onObject(object);
  }
}

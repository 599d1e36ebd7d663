/** Parts for tests: a clock that only moves when told to, and an API server that lives in memory. */
import type { ApiClient, ListOptions, ListPage, Resource } from "./api-client.ts";
import type { Clock } from "./clock.ts";
import { ApiStatusError } from "./errors.ts";
import type { Log } from "./log.ts";

export interface FakeClock extends Clock {
  /** Moves time on and runs what is due, in order; lets promises settle in between. */
  advance(ms: number): Promise<void>;
  readonly timers: number;
}

export function createFakeClock(start = new Date("2026-01-01T00:00:00Z")): FakeClock {
  let elapsedMs = 0;
  const timers = new Set<{ dueMs: number; run: () => void }>();
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    now: () => new Date(start.getTime() + elapsedMs),
    monotonicMs: () => elapsedMs,
    setTimer(ms, run) {
      const timer = { dueMs: elapsedMs + Math.max(0, ms), run };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    async advance(ms) {
      const untilMs = elapsedMs + ms;
      await settle();
      for (;;) {
        const [next] = [...timers].filter((t) => t.dueMs <= untilMs).sort((a, b) => a.dueMs - b.dueMs);
        if (!next) break;
        timers.delete(next);
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        next.run();
        await settle();
      }
      elapsedMs = untilMs;
      await settle();
    },
    get timers() {
      return timers.size;
    },
  };
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };

export interface RawObject {
  metadata: {
    name: string;
    namespace?: string;
    uid: string;
    resourceVersion: string;
    generation: number;
    creationTimestamp: string;
    deletionTimestamp?: string;
    finalizers?: string[];
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    ownerReferences?: { uid: string; kind?: string; controller?: boolean }[];
  };
  spec?: Record<string, unknown>;
  status?: Record<string, unknown>;
  data?: Record<string, string>;
  regarding?: { uid: string };
}

/** Objects in memory under Kubernetes' rules for versions, uids, status, finalizers and owners. */
export class FakeApi implements Omit<ApiClient, "watch"> {
  readonly #clock: Clock;
  readonly #objects = new Map<string, Map<string, RawObject>>();
  #revision = 0;
  #uids = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  all(plural: string): RawObject[] {
    return structuredClone([...(this.#objects.get(plural)?.values() ?? [])]);
  }

  /** Changes an object as a controller would, past all rules. */
  mutate(plural: string, name: string, change: (object: RawObject) => void): void {
    const object = this.#find(plural, name);
    change(object);
    object.metadata.resourceVersion = this.#nextRevision();
  }

  /** Deletes what is left without an owner, as the garbage collector does. */
  collectGarbage(): void {
    const uids = new Set(
      [...this.#objects.values()].flatMap((kind) => [...kind.values()].map((o) => o.metadata.uid)),
    );
    for (const kind of this.#objects.values()) {
      for (const [name, { metadata }] of kind) {
        const owners = metadata.ownerReferences ?? [];
        if (owners.length > 0 && owners.every((owner) => !uids.has(owner.uid))) kind.delete(name);
      }
    }
  }

  async get(resource: Resource, name: string): Promise<unknown> {
    return structuredClone(this.#find(resource.plural, name));
  }

  /** Of field selectors it knows the one of events: `regarding.uid`. */
  async list(resource: Resource, { fieldSelector = "" }: ListOptions = {}): Promise<ListPage> {
    const uid = /regarding\.uid=([^,]+)/.exec(fieldSelector)?.[1];
    const all = this.all(resource.plural);
    return {
      items: uid === undefined ? all : all.filter(({ regarding }) => regarding?.uid === uid),
      resourceVersion: String(this.#revision),
      continueToken: undefined,
    };
  }

  async create(resource: Resource, body: object): Promise<unknown> {
    const object = structuredClone(body) as RawObject;
    const kind = this.#objects.get(resource.plural) ?? new Map<string, RawObject>();
    this.#objects.set(resource.plural, kind);
    if (kind.has(object.metadata.name)) {
      throw failure(409, "AlreadyExists", `${resource.plural} "${object.metadata.name}" already exists`);
    }
    Object.assign(object.metadata, {
      uid: `uid-${++this.#uids}`,
      resourceVersion: this.#nextRevision(),
      generation: 1,
      creationTimestamp: this.#clock
        .now()
        .toISOString()
        .replace(/\.\d+Z$/, "Z"),
      ...(resource.namespace !== undefined && { namespace: resource.namespace }),
    });
    kind.set(object.metadata.name, object);
    return structuredClone(object);
  }

  async update(resource: Resource, name: string, body: object): Promise<unknown> {
    const object = this.#find(resource.plural, name);
    const next = structuredClone(body) as RawObject;
    this.#refuseStale(object, next.metadata);
    next.metadata = { ...object.metadata, ...next.metadata, resourceVersion: this.#nextRevision() };
    this.#objects.get(resource.plural)?.set(name, next);
    return structuredClone(next);
  }

  async patch(resource: Resource, name: string, body: object): Promise<unknown> {
    const object = this.#find(resource.plural, name);
    const patch = body as Partial<RawObject>;
    this.#refuseStale(object, patch.metadata);
    const { status } = object;
    const patched = mergePatched(object, patch) as RawObject;
    Object.assign(object, patched, status && { status });
    if (patch.spec) object.metadata.generation++;
    object.metadata.resourceVersion = this.#nextRevision();
    if (object.metadata.deletionTimestamp && !object.metadata.finalizers?.length) {
      this.#objects.get(resource.plural)?.delete(name);
    }
    return structuredClone(object);
  }

  async updateStatus(resource: Resource, name: string, body: object): Promise<unknown> {
    const object = this.#find(resource.plural, name);
    const { metadata, status } = structuredClone(body) as Partial<RawObject>;
    this.#refuseStale(object, metadata);
    if (status) object.status = status;
    object.metadata.resourceVersion = this.#nextRevision();
    return structuredClone(object);
  }

  async patchStatus(resource: Resource, name: string, body: object): Promise<unknown> {
    const object = this.#find(resource.plural, name);
    const patch = body as Partial<RawObject>;
    this.#refuseStale(object, patch.metadata);
    object.status = mergePatched(object.status ?? {}, patch.status ?? {}) as Record<string, unknown>;
    object.metadata.resourceVersion = this.#nextRevision();
    return structuredClone(object);
  }

  async delete(resource: Resource, name: string, options?: { uid?: string }): Promise<void> {
    const object = this.#find(resource.plural, name);
    if (options?.uid !== undefined && options.uid !== object.metadata.uid) {
      throw failure(409, "Conflict", "the UID in the precondition is another one");
    }
    if (object.metadata.finalizers?.length) {
      object.metadata.deletionTimestamp ??= this.#clock.now().toISOString();
      object.metadata.resourceVersion = this.#nextRevision();
    } else {
      this.#objects.get(resource.plural)?.delete(name);
      this.#nextRevision();
    }
  }

  #find(plural: string, name: string): RawObject {
    const object = this.#objects.get(plural)?.get(name);
    if (!object) throw failure(404, "NotFound", `${plural} "${name}" not found`);
    return object;
  }

  #refuseStale({ metadata }: RawObject, seen: Partial<RawObject["metadata"]> | undefined): void {
    const { resourceVersion = metadata.resourceVersion, uid = metadata.uid } = seen ?? {};
    if (resourceVersion !== metadata.resourceVersion) {
      throw failure(409, "Conflict", "the object has been modified");
    }
    if (uid !== metadata.uid) throw failure(422, "Invalid", "metadata.uid: field is immutable");
  }

  #nextRevision(): string {
    return String(++this.#revision);
  }
}

function failure(status: number, reason: string, message: string): ApiStatusError {
  return new ApiStatusError({ status, reason, message });
}

/** RFC 7396. */
function mergePatched(target: unknown, patch: unknown): unknown {
  if (!isObject(patch)) return patch;
  const result: Record<string, unknown> = isObject(target) ? { ...target } : {};
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete result[name];
    else result[name] = mergePatched(result[name], value);
  }
  return result;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The objects of one kind as last seen, by key, with indexes. Reflectors fill it from list and watch; writers
 * put what the API server answered to their own writes into it (`written`), so that the next decision sees
 * them without waiting for the watch.
 */
export interface Entry<T> {
  /** `<namespace>/<name>`, or `<name>`. */
  readonly key: string;
  readonly uid: string;
  readonly resourceVersion: string;
  readonly value: T;
}

export interface Change<T> {
  readonly key: string;
  readonly before: T | undefined;
  /** Undefined when the object is gone. */
  readonly after: T | undefined;
  /** `list`: found by listing, at the start or after a gap; `written`: what we did ourselves. */
  readonly from: ChangeSource;
}
export type ChangeSource = "list" | "watch" | "written";

/** Gives the values under which an index finds an object. */
export type Index<T> = (value: T) => readonly string[];

/** What an index finds under one value: mostly one object, for which a Map would take hundreds of bytes. */
type Bucket<T> = Entry<T> | Map<string, Entry<T>>;

/** Resource versions are etcd revisions: they count up over the whole cluster. */
function isNewer(version: string, than: string): boolean {
  return Number(version) > Number(than);
}

export class Store<T, Names extends string = never> {
  readonly #entries = new Map<string, Entry<T>>();
  readonly #indexes: Readonly<Record<Names, Index<T>>>;
  readonly #buckets: ReadonlyMap<Names, Map<string, Bucket<T>>>;
  readonly #listeners: ((change: Change<T>) => void)[] = [];
  /** How far list and watch have come. */
  #seenVersion = "0";

  constructor(indexes: Readonly<Record<Names, Index<T>>>) {
    this.#indexes = indexes;
    this.#buckets = new Map(this.#indexNames().map((name) => [name, new Map<string, Bucket<T>>()]));
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value;
  }

  values(): T[] {
    return Array.from(this.#entries.values(), (entry) => entry.value);
  }

  by(index: Names, value: string): T[] {
    const bucket = this.#buckets.get(index)?.get(value);
    if (bucket === undefined) return [];
    return bucket instanceof Map ? Array.from(bucket.values(), (entry) => entry.value) : [bucket.value];
  }

  /** The listener runs inside the change: it must be quick and must not throw. */
  onChange(listener: (change: Change<T>) => void): void {
    this.#listeners.push(listener);
  }

  /** This version of it has been seen already, or a newer one: whoever asks need not read it. */
  knows(key: string, resourceVersion: string): boolean {
    const known = this.#entries.get(key);
    return known !== undefined && !isNewer(resourceVersion, known.resourceVersion);
  }

  /** What the watch says about one object. An answer to an own write may have been newer. */
  watched(entry: Entry<T>): void {
    // A repeated event: the object may even be gone since.
    if (!isNewer(entry.resourceVersion, this.#seenVersion)) return;
    const known = this.#entries.get(entry.key);
    this.advance(entry.resourceVersion);
    if (known && !isNewer(entry.resourceVersion, known.resourceVersion)) return;
    this.#put(entry, "watch");
  }

  /** The watch says that the object was deleted at this version. */
  watchedDelete(key: string, resourceVersion: string): void {
    const known = this.#entries.get(key);
    this.advance(resourceVersion);
    // An own create under the same name may be ahead of the watch.
    if (known && !isNewer(known.resourceVersion, resourceVersion)) this.#remove(key, "watch");
  }

  /** The watch has come as far as this version. */
  advance(resourceVersion: string): void {
    if (isNewer(resourceVersion, this.#seenVersion)) this.#seenVersion = resourceVersion;
  }

  /** What the API server answered to a write of ours; dropped when the watch has passed it already. */
  written(entry: Entry<T>): void {
    if (isNewer(entry.resourceVersion, this.#seenVersion)) {
      const known = this.#entries.get(entry.key);
      if (!known || isNewer(entry.resourceVersion, known.resourceVersion)) this.#put(entry, "written");
    }
  }

  /** A whole list at one version: what is not in it is gone, unless it was written after that version. */
  replace(entries: readonly Entry<T>[], resourceVersion: string): void {
    // A list that is older than what was seen comes from restored data: all of it counts, nothing is newer.
    const isRestored = isNewer(this.#seenVersion, resourceVersion);
    const isAhead = (known: Entry<T>) => !isRestored && isNewer(known.resourceVersion, resourceVersion);
    this.#seenVersion = resourceVersion;
    const listed = new Set(entries.map((entry) => entry.key));
    for (const known of this.#entries.values()) {
      if (!listed.has(known.key) && !isAhead(known)) this.#remove(known.key, "list");
    }
    for (const entry of entries) {
      const known = this.#entries.get(entry.key);
      const isKnown = known?.uid === entry.uid && known.resourceVersion === entry.resourceVersion;
      if (!isKnown && !(known && isAhead(known))) this.#put(entry, "list");
    }
  }

  #put(entry: Entry<T>, from: ChangeSource): void {
    const before = this.get(entry.key);
    if (before !== undefined) this.#unindex(entry.key, before);
    this.#entries.set(entry.key, entry);
    this.#index(entry);
    this.#tell({ key: entry.key, before, after: entry.value, from });
  }

  #remove(key: string, from: ChangeSource): void {
    const before = this.get(key);
    if (before === undefined) return;
    this.#unindex(key, before);
    this.#entries.delete(key);
    this.#tell({ key, before, after: undefined, from });
  }

  #index(entry: Entry<T>): void {
    for (const [name, buckets] of this.#buckets) {
      for (const value of this.#indexes[name](entry.value)) {
        const bucket = buckets.get(value);
        if (bucket instanceof Map) bucket.set(entry.key, entry);
        else if (!bucket || bucket.key === entry.key) buckets.set(value, entry);
        else buckets.set(value, new Map([bucket, entry].map((one) => [one.key, one])));
      }
    }
  }

  #unindex(key: string, value: T): void {
    for (const [name, buckets] of this.#buckets) {
      for (const indexed of this.#indexes[name](value)) {
        const bucket = buckets.get(indexed);
        if (bucket instanceof Map) bucket.delete(key);
        if (bucket instanceof Map ? bucket.size === 0 : bucket?.key === key) buckets.delete(indexed);
      }
    }
  }

  #indexNames(): Names[] {
    return Object.keys(this.#indexes) as Names[];
  }

  #tell(change: Change<T>): void {
    for (const listener of this.#listeners) listener(change);
  }
}

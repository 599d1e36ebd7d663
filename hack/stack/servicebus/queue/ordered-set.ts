/** A set of sequence numbers in the order of a number that each was put in with (a time, say). */
export class OrderedSet {
  readonly #entries: Entry[] = [];

  get size(): number {
    return this.#entries.length;
  }

  get first(): Entry | undefined {
    return this.#entries[0];
  }

  add(order: number, sequence: number): void {
    const last = this.#entries.at(-1);
    const entry = { order, sequence };
    if (last === undefined || precedes(last, entry)) this.#entries.push(entry);
    else this.#entries.splice(this.#position(entry), 0, entry);
  }

  /** Harmless when it is not in. */
  delete(order: number, sequence: number): void {
    const position = this.#position({ order, sequence });
    const found = this.#entries[position];
    if (found?.order === order && found.sequence === sequence) this.#entries.splice(position, 1);
  }

  *[Symbol.iterator](): Generator<number> {
    for (const { sequence } of this.#entries) yield sequence;
  }

  /** Where the entry is, or would have to be put. */
  #position(entry: Entry): number {
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const there = this.#entries[middle];
      if (there !== undefined && precedes(there, entry)) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

interface Entry {
  readonly order: number;
  readonly sequence: number;
}

function precedes(a: Entry, b: Entry): boolean {
  return a.order === b.order ? a.sequence < b.sequence : a.order < b.order;
}

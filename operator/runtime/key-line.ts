/**
 * Keys in the order in which they came, each at most once. A fresh iterator of a Set walks over the places of all
 * that was deleted before it, which makes taking the first of 100,000 a hundred times slower: so one is kept.
 */
export class KeyLine {
  readonly #keys = new Set<string>();
  #iterator = this.#keys.values();

  get size(): number {
    return this.#keys.size;
  }

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    this.#keys.add(key);
  }

  /** @returns whether it was in the line */
  delete(key: string): boolean {
    return this.#keys.delete(key);
  }

  /** Takes the first out of the line; undefined when the line is empty. */
  take(): string | undefined {
    if (this.#keys.size === 0) return undefined;
    let { value, done } = this.#iterator.next();
    if (done) {
      // It had come to the end of the line before these were added.
      this.#iterator = this.#keys.values();
      ({ value } = this.#iterator.next());
    }
    if (value !== undefined) this.#keys.delete(value);
    return value;
  }
}

/** Who may receive the messages of which session. Held in memory alone: a session ends with its link. */
export class SessionLocks {
  readonly #heldUntil = new Map<string, number>();

  isHeld(id: string): boolean {
    return this.#heldUntil.has(id);
  }

  hold(id: string, until: number): void {
    this.#heldUntil.set(id, until);
  }

  release(id: string): void {
    this.#heldUntil.delete(id);
  }

  /** Sessions whose holder did not renew in time. */
  expired(now: number): string[] {
    return [...this.#heldUntil].filter(([, until]) => until <= now).map(([id]) => id);
  }

  nextExpiry(): number {
    return Math.min(Infinity, ...this.#heldUntil.values());
  }
}

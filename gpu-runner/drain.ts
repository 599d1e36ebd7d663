/** The pod was told to go: what is not finished is to be resumed elsewhere. */
export class Drained extends Error {
  override readonly name = "Drained";
}

/** The pod's notice to go: no new stage starts, and a running one has until the grace is over. */
export interface Drain {
  readonly isDraining: boolean;
  /** Gives notice; a second one changes nothing. */
  readonly begin: () => void;
  /** @throws {Drained} once notice was given. */
  readonly check: () => void;
  /** The work's result, or `Drained` when the grace ends before it. */
  readonly within: <T>(work: Promise<T>) => Promise<T>;
}

export function createDrain(graceMillis: number): Drain {
  let draining = false;
  let endGrace: (error: Drained) => void = () => undefined;
  const graceOver = new Promise<never>((_, reject) => {
    endGrace = reject;
  });
  // Without a stage in hand nobody waits for the end of the grace.
  graceOver.catch(() => undefined);
  return {
    get isDraining() {
      return draining;
    },
    begin() {
      if (draining) return;
      draining = true;
      setTimeout(() => {
        endGrace(new Drained("the grace period is over"));
      }, graceMillis).unref();
    },
    check() {
      if (draining) throw new Drained("the pod was told to stop");
    },
    within: (work) => Promise.race([work, graceOver]),
  };
}

import type { Clock } from "./clock.ts";
import { KeyLine } from "./key-line.ts";

/**
 * Lets keys have their turns at a limited rate, however many want one: those that are soon to have it first, and
 * then first come, first served. A key that leaves the line costs no turn.
 */
export interface TurnLine {
  /**
   * True, once, when it is the key's turn. Else the key stands in line from now on, and `onTurn` tells when to ask
   * again.
   */
  take(key: string, place: { readonly isSoon: boolean }): boolean;
  /** The key wants no turn any more, and gives back one that it has not taken. */
  leave(key: string): void;
  /** Nobody is told of a turn any more. */
  close(): void;
}

export interface TurnLineSettings {
  /** Turns in a second in the long run. */
  readonly perSecond: number;
  /** Turns at once, when there were none for a while. */
  readonly burst: number;
  readonly clock: Clock;
  readonly onTurn: (key: string) => void;
}

export function createTurnLine({ perSecond, burst, clock, onTurn }: TurnLineSettings): TurnLine {
  const soon = new KeyLine();
  const others = new KeyLine();
  /** Those whose turn it is. */
  const called = new Set<string>();
  let turns = burst;
  let filledAtMs = clock.monotonicMs();
  let cancel: (() => void) | undefined;

  function refill(): void {
    const nowMs = clock.monotonicMs();
    turns = Math.min(burst, turns + ((nowMs - filledAtMs) / 1000) * perSecond);
    filledAtMs = nowMs;
  }

  function call(): void {
    cancel = undefined;
    refill();
    // Timers may fire a fraction of a millisecond early.
    while (turns >= 0.999) {
      const key = soon.take() ?? others.take();
      if (key === undefined) return;
      turns -= 1;
      called.add(key);
      onTurn(key);
    }
    const isWaitedFor = soon.size + others.size > 0;
    if (isWaitedFor) cancel = clock.setTimer(Math.ceil(((1 - turns) / perSecond) * 1000), call);
  }

  return {
    take(key, { isSoon }) {
      if (called.delete(key)) return true;
      refill();
      if (turns >= 1 && soon.size + others.size === 0) {
        turns -= 1;
        return true;
      }
      if (isSoon) others.delete(key);
      if (isSoon) soon.add(key);
      else if (!soon.has(key)) others.add(key);
      if (!cancel) call();
      return called.delete(key);
    },
    leave(key) {
      soon.delete(key);
      others.delete(key);
      if (called.delete(key)) turns += 1;
    },
    close() {
      cancel?.();
      cancel = undefined;
    },
  };
}

import type { Clock } from "./clock.ts";
import { KeyLine } from "./key-line.ts";
import { createTokens, type Rate } from "./tokens.ts";

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

export interface TurnLineSettings extends Rate {
  readonly clock: Clock;
  readonly onTurn: (key: string) => void;
}

export function createTurnLine({ clock, onTurn, ...rate }: TurnLineSettings): TurnLine {
  const soon = new KeyLine();
  const others = new KeyLine();
  /** Those whose turn it is. */
  const called = new Set<string>();
  const turns = createTokens(rate, clock);
  let cancel: (() => void) | undefined;
  const isAnyInLine = () => soon.size + others.size > 0;

  function call(): void {
    cancel = undefined;
    while (isAnyInLine() && turns.take()) {
      const key = soon.take() ?? others.take();
      if (key === undefined) return;
      called.add(key);
      onTurn(key);
    }
    if (isAnyInLine()) cancel = clock.setTimer(turns.waitMs(), call);
  }

  return {
    take(key, { isSoon }) {
      if (called.delete(key)) return true;
      if (!isAnyInLine() && turns.take()) return true;
      if (isSoon) others.delete(key);
      if (isSoon) soon.add(key);
      else if (!soon.has(key)) others.add(key);
      if (!cancel) call();
      return called.delete(key);
    },
    leave(key) {
      soon.delete(key);
      others.delete(key);
      if (called.delete(key)) turns.giveBack();
    },
    close() {
      cancel?.();
      cancel = undefined;
    },
  };
}

import type { Clock } from "../../operator/runtime/clock.ts";

export interface ShiftedClock extends Clock {
  /** How far the wall clock is ahead (or, below 0, behind). Durations are not touched: hardware measures those well. */
  offsetMs: number;
}

/** A machine's clock that is wrong, and can become more so while it runs. */
export function createShiftedClock(clock: Clock, offsetMs = 0): ShiftedClock {
  const shifted: ShiftedClock = {
    offsetMs,
    now: () => new Date(clock.now().getTime() + shifted.offsetMs),
    monotonicMs: () => clock.monotonicMs(),
    setTimer: (ms, run) => clock.setTimer(ms, run),
  };
  return shifted;
}

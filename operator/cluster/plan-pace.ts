import type { Clock } from "../runtime/clock.ts";

/** When the next plan may be begun. */
export interface PlanPace {
  begin(): void;
  end(): void;
  /** Until then; none is due before. Zero or less: now. */
  waitMs(): number;
}

export interface PlanPaceSettings {
  readonly clock: Pick<Clock, "monotonicMs">;
  /** From the beginning of one plan to that of the next at least. */
  readonly minIntervalMs: number;
}

/** Of the time, for planning: with thousands of waiting jobs a plan takes milliseconds, and something always changes. */
const MAX_SHARE = 1 / 20;
/** However long a plan took, as the first one does: GPUs that are free wait for the next. */
const MAX_INTERVAL_MS = 500;

/** Plans follow each other at an interval that leaves the time for what they are made for: launches and statuses. */
export function createPlanPace({ clock, minIntervalMs }: PlanPaceSettings): PlanPace {
  let begunMs = -Infinity;
  let tookMs = 0;
  return {
    begin() {
      begunMs = clock.monotonicMs();
    },
    end() {
      tookMs = clock.monotonicMs() - begunMs;
    },
    waitMs() {
      const longMs = Math.min(tookMs / MAX_SHARE, MAX_INTERVAL_MS);
      return begunMs + Math.max(minIntervalMs, longMs) - clock.monotonicMs();
    },
  };
}

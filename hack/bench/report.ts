/**
 * What every bench prints: a table for people and, with --json, one last line for machines. A bench measures;
 * it never fails on a missed goal.
 */
import { availableParallelism, totalmem } from "node:os";

export interface Goal {
  readonly name: string;
  readonly value: number;
  readonly goal: number;
  readonly better: "lower" | "higher";
}

export interface BenchResult {
  readonly bench: string;
  /** Units are in the keys. */
  readonly figures: Readonly<Record<string, number>>;
  readonly goals: readonly Goal[];
}

/** The middle of a non-empty list (of an even one, the mean of the middle two). */
export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** The q-quantile of a non-empty list, interpolated linearly. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * q;
  const low = sorted[Math.floor(at)];
  const high = sorted[Math.ceil(at)];
  if (low === undefined || high === undefined) throw new RangeError("no values to take a quantile of");
  return low + (high - low) * (at - Math.floor(at));
}

export function reportLines(result: BenchResult, json: boolean): string[] {
  const round = (value: number) => Number(value.toPrecision(4));
  const wide = Math.max(...Object.keys(result.figures).map((key) => key.length));
  const lines = Object.entries(result.figures).map(([key, value]) => {
    const goal = result.goals.find(({ name }) => name === key);
    const sign = goal?.better === "higher" ? "≥" : "≤";
    const met = goal && (goal.better === "higher" ? value >= goal.goal : value <= goal.goal);
    return `${key.padEnd(wide)}  ${String(round(value)).padStart(9)}${goal ? `   goal ${sign} ${goal.goal}: ${met ? "met" : "missed"}` : ""}`;
  });
  if (!json) return lines;
  const machine = { cores: availableParallelism(), memoryGiB: Math.round(totalmem() / 2 ** 30) };
  return [
    ...lines,
    JSON.stringify({ bench: result.bench, machine, figures: result.figures, goals: result.goals }),
  ];
}

/** What an evaluation finds: figures with their bars, for a table and for machines, and pictures for people. */
import { quantile } from "../bench/report.ts";

export interface Bar {
  readonly value: number;
  readonly better: "lower" | "higher";
}

export interface Figure {
  /** Snake case with its unit, unique over all areas. */
  readonly key: string;
  readonly label: string;
  readonly ours: number;
  /** One pass at 1024² with the raw soft alpha; for enlargements: bicubic. */
  readonly baseline?: number | undefined;
  readonly rembg?: number | undefined;
  /** That `ours` should meet. */
  readonly bar?: Bar;
}

export interface Panel {
  readonly label: string;
  /** JPEG or PNG. */
  readonly bytes: Uint8Array;
}

/** Pictures side by side. */
export interface Exhibit {
  readonly heading: string;
  readonly about: string;
  readonly panels: readonly Panel[];
}

export interface AreaResult {
  readonly area: string;
  readonly figures: readonly Figure[];
  /** Further lines for people. */
  readonly lines?: readonly string[];
  readonly exhibits?: readonly Exhibit[];
}

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** The 95th percentile. */
export const p95 = (values: readonly number[]) => quantile(values, 0.95);

export function isMet({ ours, bar }: Figure): boolean | undefined {
  if (!bar) return undefined;
  return bar.better === "higher" ? ours >= bar.value : ours <= bar.value;
}

const shown = (value: number | undefined) => {
  if (value === undefined) return "";
  return Number.isInteger(value) ? String(value) : String(Number(value.toPrecision(3)));
};

const HEADINGS = ["metric", "ours", "baseline", "rembg", "bar", ""] as const;

/** One table of all figures: metric, ours, baseline, rembg, bar, met or missed. */
export function tableLines(areas: readonly AreaResult[]): string[] {
  const rows = areas.flatMap(({ figures }) =>
    figures.map((figure) => {
      const { label, ours, baseline, rembg, bar } = figure;
      const wanted = bar ? `${bar.better === "higher" ? "≥" : "≤"} ${shown(bar.value)}` : "";
      const met = isMet(figure);
      const verdict = met === undefined ? "" : met ? "met" : "MISSED";
      return [label, shown(ours), shown(baseline), shown(rembg), wanted, verdict];
    }),
  );
  const widths = HEADINGS.map((heading, i) =>
    Math.max(heading.length, ...rows.map((row) => row[i]?.length ?? 0)),
  );
  const line = (row: readonly string[]) =>
    row
      .map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd();
  return [line(HEADINGS), ...rows.map(line)];
}

import { parseArgs } from "node:util";
import { WHOLE_SET } from "./render/synthetic-set.ts";

export const AREAS = ["segment", "blanks", "place", "colour", "upscale", "repeat"] as const;
export type Area = (typeof AREAS)[number];

export interface EvalArguments {
  readonly json: boolean;
  /** Where the page goes. */
  readonly html: string | undefined;
  /** Synthetic pictures; fewer blanks and placed pictures too. */
  readonly count: number;
  readonly only: ReadonlySet<Area>;
}

export const USAGE = `npm run eval -- [options]

  --count N      the first N of the ${WHOLE_SET} synthetic photos, all kinds of product alike (default: all)
  --only LIST    of ${AREAS.join(",")} (default: all)
  --html FILE    a page with the figures and the best, median and worst pictures
  --json         a last line for machines`;

/** @throws {Error} that says which option is wrong and what it may be */
export function parseEvalArguments(args: readonly string[]): EvalArguments | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      html: { type: "string" },
      count: { type: "string", default: String(WHOLE_SET) },
      only: { type: "string", default: AREAS.join(",") },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const count = Number(values.count);
  if (!Number.isInteger(count) || count < 1 || count > WHOLE_SET) {
    throw new Error(`--count "${values.count}" is no whole number from 1 to ${WHOLE_SET}`);
  }
  const only = values.only.split(",").map((name) => {
    const area = AREAS.find((known) => known === name.trim());
    if (!area) throw new Error(`--only "${name}" is none of ${AREAS.join(", ")}`);
    return area;
  });
  return { json: values.json, html: values.html, count, only: new Set(only) };
}

import { parseArgs } from "node:util";
import * as z from "zod";

export const USAGE = `npm run bench:flow [-- options]

  --jobs N           one-picture OpalJobs, plain Jobs and Kueue's Jobs (default: 300; 0 leaves this part out)
  --rounds N         rounds of OpalJobs and of plain Jobs in turn (default: 3)
  --kueue-rounds N   rounds of Kueue, which take minutes (default: 1; 0 leaves Kueue out)
  --large-jobs N     ten-picture OpalJobs on fake nodes (default: 2000; 0 leaves this part out)
  --no-coalescing    each small OpalJob has a child of its own
  --json             one JSON object as the last line`;

const count = (from: number) => z.coerce.number().int().min(from).max(10_000);

const Values = z.object({
  jobs: count(0).default(300),
  rounds: count(1).default(3),
  "kueue-rounds": count(0).default(1),
  "large-jobs": count(0).default(2000),
  "no-coalescing": z.boolean().default(false),
  json: z.boolean().default(false),
});

export interface FlowArguments {
  readonly jobs: number;
  readonly rounds: number;
  readonly kueueRounds: number;
  readonly largeJobs: number;
  /** Whether small OpalJobs may share children. */
  readonly isCoalescing: boolean;
  readonly json: boolean;
}

/** @throws {Error} that names every option that is wrong */
export function parseFlowArguments(args: readonly string[]): FlowArguments | "help" {
  const text = { type: "string" } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      jobs: text,
      rounds: text,
      "kueue-rounds": text,
      "large-jobs": text,
      "no-coalescing": { type: "boolean" },
      json: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return "help";
  const parsed = Values.safeParse(values);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `--${path.join(".")}: ${message}`);
    throw new Error(problems.join("\n"));
  }
  const { jobs, rounds, json } = parsed.data;
  return {
    jobs,
    rounds,
    json,
    kueueRounds: parsed.data["kueue-rounds"],
    largeJobs: parsed.data["large-jobs"],
    isCoalescing: !parsed.data["no-coalescing"],
  };
}

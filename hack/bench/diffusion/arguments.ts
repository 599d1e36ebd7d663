import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { wholeNumber } from "../whole-number.ts";
import { type Size, SIZES } from "./models.ts";

export interface DiffusionArguments {
  readonly json: boolean;
  readonly rounds: number;
  readonly steps: number;
  readonly sizes: readonly Size[];
  /** Of ours and of each peer. */
  readonly threads: number;
}

const MOST = 1000;

export const USAGE = `npm run bench:diffusion -- [options]

  --rounds N   of each size, ours and both peers in turns (default: 3)
  --steps N    denoising steps a round; the first is not counted (default: 6)
  --sizes A,B  of ${SIZES.join(", ")} (default: all)
  --threads N  of each party (default: all cores). Where other programs use them too, torch's threads wait for
               each other at every operator and its figure says nothing: measure it with 1
  --json       a last line for machines`;

function sizesOf(text: string): readonly Size[] {
  const names = text.split(",");
  const unknown = names.find((name) => !SIZES.some((size) => size === name));
  if (unknown !== undefined) throw new Error(`--sizes "${unknown}" is none of ${SIZES.join(", ")}`);
  return SIZES.filter((size) => names.includes(size));
}

/** @throws {Error} that says which option is wrong and what it may be */
export function parseDiffusionArguments(args: readonly string[]): DiffusionArguments | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      rounds: { type: "string", default: "3" },
      steps: { type: "string", default: "6" },
      sizes: { type: "string", default: SIZES.join(",") },
      threads: { type: "string", default: String(availableParallelism()) },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  return {
    json: values.json,
    rounds: wholeNumber("rounds", values.rounds, { atLeast: 1, atMost: MOST }),
    steps: wholeNumber("steps", values.steps, { atLeast: 2, atMost: MOST }),
    sizes: sizesOf(values.sizes),
    threads: wholeNumber("threads", values.threads, { atLeast: 1, atMost: MOST }),
  };
}

import { parseArgs } from "node:util";
import { wholeNumber } from "../whole-number.ts";

export interface RunnerArguments {
  readonly json: boolean;
  /** Photos that are cut beside rembg and taken through all stages. */
  readonly pictures: number;
  /** Pictures that are enlarged beside the peer. */
  readonly upscales: number;
  /** Small pictures through all stages, for the slope of memory; 0 leaves it out. */
  readonly long: number;
}

const MOST = 100_000;

export const USAGE = `npm run bench:runner -- [options]

  --pictures N   photos, beside rembg (default: 20)
  --upscales N   pictures enlarged, beside onnxruntime in Python (default: 5)
  --long N       small pictures for the slope of memory, 0 for none (default: 300)
  --json         a last line for machines`;

/** @throws {Error} that says which option is wrong and what it may be */
export function parseRunnerArguments(args: readonly string[]): RunnerArguments | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: "boolean", default: false },
      pictures: { type: "string", default: "20" },
      upscales: { type: "string", default: "5" },
      long: { type: "string", default: "300" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  return {
    json: values.json,
    pictures: wholeNumber("pictures", values.pictures, { atLeast: 1, atMost: MOST }),
    upscales: wholeNumber("upscales", values.upscales, { atLeast: 1, atMost: MOST }),
    long: wholeNumber("long", values.long, { atLeast: 0, atMost: MOST }),
  };
}

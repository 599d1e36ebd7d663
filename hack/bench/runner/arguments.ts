import { parseArgs } from "node:util";

export interface RunnerArguments {
  readonly json: boolean;
  /** Photos that are cut beside rembg and taken through all stages. */
  readonly pictures: number;
  /** Pictures that are enlarged beside the peer. */
  readonly upscales: number;
  /** Small pictures through all stages, for the slope of memory; 0 leaves it out. */
  readonly long: number;
}

export const USAGE = `npm run bench:runner -- [options]

  --pictures N   photos, beside rembg (default: 20)
  --upscales N   pictures enlarged, beside onnxruntime in Python (default: 5)
  --long N       small pictures for the slope of memory, 0 for none (default: 300)
  --json         a last line for machines`;

function wholeNumber(name: string, text: string, atLeast: number): number {
  const number = Number(text);
  if (Number.isInteger(number) && number >= atLeast && number <= 100_000) return number;
  throw new Error(`--${name} "${text}" is no whole number from ${atLeast} to 100000`);
}

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
    pictures: wholeNumber("pictures", values.pictures, 1),
    upscales: wholeNumber("upscales", values.upscales, 1),
    long: wholeNumber("long", values.long, 0),
  };
}

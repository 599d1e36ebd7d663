import { parseArgs } from "node:util";

export interface StoryArguments {
  readonly keep: boolean;
  readonly json: boolean;
  readonly secondsPerPicture: number;
}

export const USAGE = `npm run story [-- options]

  Four scenes on a cluster of this machine, told by kubectl: two tenants share eight GPUs, a spot node is
  reclaimed, a pool is out of stock, a budget is used up. The runners only let time pass.

  --keep                     leave the cluster up at the end and say how to look at it
  --seconds-per-picture N    how long a picture takes (default: 1)
  --json                     one line of JSON a scene with its facts, and no kubectl output`;

/** @throws {Error} that says which option is wrong and what it may be */
export function parseStoryArguments(args: readonly string[]): StoryArguments | "help" {
  const { values } = parseArgs({
    args: [...args],
    options: {
      keep: { type: "boolean", default: false },
      json: { type: "boolean", default: false },
      "seconds-per-picture": { type: "string", default: "1" },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  const secondsPerPicture = Number(values["seconds-per-picture"]);
  if (!(secondsPerPicture >= 0.3 && secondsPerPicture <= 60)) {
    throw new Error(
      `--seconds-per-picture is a number from 0.3 to 60, not "${values["seconds-per-picture"]}"`,
    );
  }
  return { keep: values.keep, json: values.json, secondsPerPicture };
}

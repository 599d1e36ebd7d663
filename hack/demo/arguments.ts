import { parseArgs } from "node:util";

const STYLES = ["studio", "color", "transparent"] as const;
export type Style = (typeof STYLES)[number];

export interface DemoArguments {
  /** Paths as given; empty means the photos kept in the repository. */
  readonly photos: readonly string[];
  readonly style: Style;
  readonly out: string;
  readonly json: boolean;
  readonly keep: boolean;
}

export const USAGE = `npm run demo [-- options]

  --photo FILE    a photo of your own; may be given several times (without it: the photos in hack/photos)
  --style STYLE   ${STYLES.join(" | ")} (default: studio)
  --out DIR       where the pictures go (default: out/demo)
  --json          one JSON object a line on stdout, the last one has the event "finished"
  --keep          leave everything running and say how to look at it`;

/** @throws {Error} that says which option is wrong and what it may be. */
export function parseDemoArguments(args: readonly string[]): DemoArguments | "help" {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      photo: { type: "string", multiple: true, default: [] },
      style: { type: "string", default: "studio" },
      out: { type: "string", default: "out/demo" },
      json: { type: "boolean", default: false },
      keep: { type: "boolean", default: false },
      help: { type: "boolean", short: "h", default: false },
    },
  });
  if (values.help) return "help";
  if (positionals.length > 0) {
    throw new Error(`"${positionals[0]}" is no option: photos are given as --photo ${positionals[0]}`);
  }
  const style = STYLES.find((name) => name === values.style);
  if (!style) throw new Error(`--style "${values.style}" is none of ${STYLES.join(", ")}`);
  return { photos: values.photo, style, out: values.out, json: values.json, keep: values.keep };
}

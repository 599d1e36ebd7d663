import { parseArgs } from "node:util";

const STYLES = ["studio", "color", "transparent", "generated"] as const;
export type Style = (typeof STYLES)[number];

export interface DemoArguments {
  /** Paths as given; empty means the photos kept in the repository. */
  readonly photos: readonly string[];
  readonly style: Style;
  /** For style `generated`: the scene in words. */
  readonly prompt?: string;
  /** A pulled model's folder that paints it; without it the small one that comes with OPAL. */
  readonly model?: string;
  readonly seed: number;
  readonly out: string;
  readonly json: boolean;
  readonly keep: boolean;
}

export const USAGE = `npm run demo [-- options]

  --photo FILE    a photo of your own; may be given several times (without it: the photos in hack/photos)
  --style STYLE   ${STYLES.join(" | ")} (default: studio)
  --prompt WORDS  for --style generated: the scene, "on a white marble table, blue wall, window light" say
  --model NAME    for --style generated: a pulled model instead of the small one that comes with OPAL
  --seed NUMBER   for --style generated: another number, another scene (default: 0)
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
      prompt: { type: "string" },
      model: { type: "string" },
      seed: { type: "string", default: "0" },
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
  const seed = Number(values.seed);
  if (!Number.isInteger(seed) || seed < 0 || seed >= 2 ** 31) {
    throw new Error(`--seed "${values.seed}" is no whole number from 0 to ${2 ** 31 - 1}`);
  }
  const { photo: photos, out, json, keep } = values;
  return { photos, style, seed, ...sceneOf(style, values), out, json, keep };
}

interface SceneWords {
  readonly prompt?: string;
  readonly model?: string;
}

function sceneOf(style: Style, { prompt, model }: SceneWords): SceneWords {
  if (style !== "generated") {
    if (prompt !== undefined) throw new Error(`--prompt is for --style generated, not for ${style}`);
    if (model !== undefined) throw new Error(`--model is for --style generated, not for ${style}`);
    return {};
  }
  if (!prompt) throw new Error('--style generated needs a --prompt, "on an oak table, sage green wall" say');
  return { prompt, ...(model !== undefined && { model }) };
}

import { resolve } from "node:path";
import { parseArgs } from "node:util";

export const USAGE = `usage: npm run models -- list [--json]
       npm run models -- pull NAME --from URL|DIR [--to DIR] [--lock FILE] [--sha256 PATH=HEX ...] [--json]

  list    models that are folders: licence, whose, what they oblige to
  pull    brings one: whole and checked, or not at all; goes on where it was cut off

  --from URL|DIR     where its files are: model_index.json, unet/model.onnx, ... lie below it
  --to DIR           where its folder comes (default: the models of the cache folder)
  --lock FILE        an earlier pull's opal-model.lock.json: anything else than what it names is refused
  --sha256 PATH=HEX  the same for one file
  --json             results as one line of JSON`;

export type CliOptions =
  | { readonly command: "list"; readonly json: boolean }
  | {
      readonly command: "pull";
      readonly name: string;
      /** A URL, or an absolute path. */
      readonly from: string;
      readonly to: string;
      readonly lockFile: string | undefined;
      readonly sha256s: Readonly<Record<string, string>>;
      readonly json: boolean;
    };

/** Where relative paths are looked for, and where models are kept. */
export interface Places {
  readonly modelsDir: string;
  readonly invokedFrom: string;
}

function parsePin(text: string): readonly [string, string] {
  const [, path, hex] = /^(.+)=([0-9a-f]{64})$/i.exec(text) ?? [];
  if (path === undefined || hex === undefined) throw new Error(`--sha256 ${text}: it is PATH=HEX, 64 digits`);
  return [path, hex.toLowerCase()];
}

/** @throws an Error that says what is wrong with the arguments */
export function parseCli(args: readonly string[], { modelsDir, invokedFrom }: Places): CliOptions {
  const string = { type: "string" } as const;
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      from: string,
      to: string,
      lock: string,
      sha256: { type: "string", multiple: true, default: [] },
      json: { type: "boolean", default: false },
    },
  });
  const [command, name, ...more] = positionals;
  if (command === "list" && name === undefined) return { command, json: values.json };
  if (command !== "pull" || more.length > 0)
    throw new Error("what shall be done with the models: list, pull?");
  if (name === undefined) throw new Error("which model shall be pulled?");
  if (values.from === undefined) throw new Error("where is the model pulled from: --from URL|DIR?");
  return {
    command,
    name,
    from: /^https?:\/\//i.test(values.from) ? values.from : resolve(invokedFrom, values.from),
    to: values.to === undefined ? modelsDir : resolve(invokedFrom, values.to),
    lockFile: values.lock === undefined ? undefined : resolve(invokedFrom, values.lock),
    sha256s: Object.fromEntries(values.sha256.map(parsePin)),
    json: values.json,
  };
}

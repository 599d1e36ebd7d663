import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

export const USAGE = `usage: npm run stack -- up | down | status [--name NAME | --dir DIR] [--detach] [--json]

  up      starts a blob server, Postgres and a Service Bus, and stops them at Ctrl-C
  down    stops a stack that was started elsewhere
  status  tells what runs (exit code 0: all of it, 1: not all)

  --name NAME  a stack of its own beside others; it finds its data again (default: "default")
  --dir DIR    where it is kept, instead of a name
  --detach     up: return when all is ready, and leave it running
  --json       results as one line of JSON`;

const COMMANDS = ["up", "down", "status"] as const;

export interface CliOptions {
  readonly command: (typeof COMMANDS)[number];
  readonly dir: string;
  readonly detach: boolean;
  readonly json: boolean;
}

/** Where names and relative folders are looked for. */
export interface Places {
  readonly cacheDir: string;
  /** The folder that the user is in. */
  readonly invokedFrom: string;
}

/** @throws an Error that says what is wrong with the arguments */
export function parseCli(args: readonly string[], { cacheDir, invokedFrom }: Places): CliOptions {
  const string = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: { name: string, dir: string, detach: flag, json: flag },
  });
  const [word, ...more] = positionals;
  const command = COMMANDS.find((known) => known === word);
  if (command === undefined || more.length > 0)
    throw new Error(`what shall the stack do: ${COMMANDS.join(", ")}?`);
  if (values.name !== undefined && values.dir !== undefined)
    throw new Error("--name and --dir exclude each other");
  if (values.detach && command !== "up") throw new Error(`--detach means nothing to "${command}"`);
  const dir =
    values.dir === undefined
      ? join(cacheDir, "stacks", checkedName(values.name ?? "default"))
      : resolve(invokedFrom, values.dir);
  return { command, dir, detach: values.detach, json: values.json };
}

function checkedName(name: string): string {
  if (/^[a-z0-9][a-z0-9-]{0,62}$/.test(name)) return name;
  throw new Error(`"${name}" is no name for a stack: lower case letters, digits and dashes`);
}

/** `npm run models`: the models that are folders, and how one comes onto this machine. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readModelFolder } from "../../gpu-runner/diffusion/model-folder.ts";
import { FOLDER_CATALOGUE, type FolderEntry } from "../../gpu-runner/models/folder-catalogue.ts";
import { diskSource } from "../../gpu-runner/models/pull/disk-source.ts";
import { parseLock } from "../../gpu-runner/models/pull/folder-lock.ts";
import { httpSource } from "../../gpu-runner/models/pull/http-source.ts";
import { pullFolder, type PullProgress } from "../../gpu-runner/models/pull/pull-folder.ts";
import { cacheDir } from "../cache/cache-dir.ts";
import { withLock } from "../cache/lock.ts";
import { runCommandLine } from "../terminal/command-line.ts";
import { createSteps } from "../terminal/steps.ts";
import { type CliOptions, parseCli, USAGE } from "./cli-options.ts";

process.exitCode = await runCommandLine({ parse, usage: USAGE, run });

function parse(): CliOptions {
  return parseCli(process.argv.slice(2), {
    modelsDir: join(cacheDir(process.env), "models"),
    invokedFrom: process.env["OPAL_INVOKED_FROM"] ?? process.cwd(),
  });
}

async function run(options: CliOptions): Promise<number> {
  if (options.command === "list") list(options.json);
  else await pull(options);
  return 0;
}

function list(json: boolean): void {
  if (json) console.log(JSON.stringify(FOLDER_CATALOGUE));
  else for (const entry of FOLDER_CATALOGUE) console.log(describe(entry));
}

function describe({ name, licence, source, trainingData, commercial, obligations }: FolderEntry): string {
  const use = commercial === "yes" ? "commercial use allowed" : "commercial use: somebody must decide";
  return `${name}\n  ${licence}; ${use}\n  ${source}\n  ${obligations}\n  Trained on: ${trainingData}\n`;
}

async function pull({
  name,
  from,
  to,
  lockFile,
  sha256s,
  json,
}: CliOptions & { command: "pull" }): Promise<void> {
  const entry = FOLDER_CATALOGUE.find((known) => known.name === name);
  if (!entry) throw new Error(`the catalogue has no "${name}": npm run models -- list`);
  const locked = lockFile === undefined ? {} : parseLock(await readFile(lockFile, "utf8")).files;
  const pins = {
    ...Object.fromEntries(Object.entries(locked).map(([path, { sha256 }]) => [path, sha256])),
    ...sha256s,
  };
  const source = /^https?:/i.test(from) ? httpSource(from) : diskSource(from);
  const steps = createSteps(process.stderr, () => performance.now());
  const pulled = await withLock(join(to, `.${name}.lock`), () =>
    steps.runIfNeeded(`models: pulling ${name}`, "minutes, once", (progress) =>
      pullFolder({ entry, source, from, dir: to, pins, onProgress: (now) => progress(sayPulling(now)) }),
    ),
  );
  await readModelFolder(pulled.folder);
  if (json)
    console.log(JSON.stringify({ event: "pulled", name, folder: pulled.folder, wasThere: pulled.wasThere }));
  else
    console.log(
      `${pulled.wasThere ? "was there already" : "pulled"}: ${pulled.folder}\n${entry.licence}: ${entry.obligations}`,
    );
}

function sayPulling({ path, bytes, totalBytes }: PullProgress): string {
  const megabytes = (count: number) => `${Math.round(count / 1e6)} MB`;
  return `${path}, ${megabytes(bytes)}${totalBytes === undefined ? "" : ` of ${megabytes(totalBytes)}`}`;
}

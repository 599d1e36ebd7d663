/**
 * `npm run cluster -- up | down | status | node | kubectl`: a cluster to play with. Clusters have names (default
 * `dev`), live in the cache folder and keep their objects from one `up` to the next; `--dir` puts one elsewhere.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { cacheDir } from "../cache/cache-dir.ts";
import { IDENTITIES, RUNNER_IMAGE } from "../launch/settings.ts";
import { createSteps } from "../terminal/steps.ts";
import { ensureDevCluster, USUAL_BUILD_TIME, type DevClusterBuild } from "./build.ts";
import { startCluster, type ClusterOptions, type Ready } from "./cluster.ts";
import { runControl, type ControlReply } from "./control.ts";
import { findRunning, startDetached } from "./detached.ts";
import { kubectlEnv } from "./kubectl.ts";
import { NODE_USAGE, nodeReport, parseNodeCommand } from "./node-command.ts";
import { STANDARD_NODES } from "./node-spec.ts";

const USAGE = `usage: npm run cluster -- COMMAND [--name NAME | --dir DIR] [--json]
  up [--gpus N | --config FILE] [--detach]   start it, in the foreground unless detached: nodes of the GPU classes
                                             t4 (one of them spot), a100 and a100-mig, or one node of N GPUs, or
                                             as a JSON file says (cluster.ts, ClusterOptions)
  down [--delete]                            stop a detached one; with --delete its objects go too
  status                                     whether it runs, and where
${NODE_USAGE}
  kubectl ARGUMENTS                          kubectl as its admin (KUBECONFIG, where set, is used instead)`;

const RUNNER = fileURLToPath(new URL("../../gpu-runner/main.ts", import.meta.url));
/** The folder from which npm was called: paths that people type are relative to it. */
const invokedFrom = process.env["OPAL_INVOKED_FROM"] ?? process.cwd();

interface Flags {
  readonly name?: string | undefined;
  readonly dir?: string | undefined;
  readonly gpus?: string | undefined;
  readonly config?: string | undefined;
  readonly detach?: boolean | undefined;
  readonly delete?: boolean | undefined;
  readonly json?: boolean | undefined;
}

async function main(command = "", args: string[] = []): Promise<number> {
  if (command === "kubectl") return kubectl(args);
  if (command === "node") return node(args);
  const { values: flags } = parseArgs({
    args,
    options: {
      name: { type: "string" },
      dir: { type: "string" },
      gpus: { type: "string" },
      config: { type: "string" },
      detach: { type: "boolean" },
      delete: { type: "boolean" },
      json: { type: "boolean" },
    },
  });
  switch (command) {
    case "up":
      return up(flags);
    case "down":
      return down(flags);
    case "status":
      return status(flags);
    default:
      console.error(USAGE);
      return 64;
  }
}

function folderOf({ name = "dev", dir }: Flags): string {
  if (dir !== undefined) return resolve(invokedFrom, dir);
  if (!/^[a-z0-9-]+$/.test(name))
    throw new Error(`"${name}" is no name: use lower-case letters, digits and dashes`);
  return join(cacheDir(process.env), "clusters", name);
}

function built(): Promise<DevClusterBuild> {
  const steps = createSteps(process.stderr, () => performance.now());
  return steps.runIfNeeded("dev cluster: building it from its Go modules", USUAL_BUILD_TIME, (onProgress) =>
    ensureDevCluster({ cache: cacheDir(process.env), onProgress }),
  );
}

async function up(flags: Flags): Promise<number> {
  const dir = folderOf(flags);
  const running = await findRunning(dir);
  if (running) {
    tell(flags, running, "runs already");
    return 0;
  }
  const options = await optionsOf(flags);
  await built();
  if (flags.detach) {
    tell(flags, await startDetached(dir, options), "is up");
    return 0;
  }
  const cluster = await startCluster({ ...options, dir });
  // Listened for before it is told that the cluster is up: whoever reads that may answer at once.
  const asked = Promise.race(["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => once(process, signal)));
  tell(flags, cluster.ready, "is up, until Ctrl-C");
  const broken = await Promise.race([asked.then(() => undefined), cluster.broken]);
  await cluster.stop();
  if (broken) console.error(broken.message);
  return broken ? 1 : 0;
}

/** What a configuration file holds is checked by the binary, which names all its problems. */
async function optionsOf({ config, gpus }: Flags): Promise<ClusterOptions> {
  if (config !== undefined) {
    return JSON.parse(await readFile(resolve(invokedFrom, config), "utf8")) as ClusterOptions;
  }
  if (gpus !== undefined && !/^\d+$/.test(gpus)) throw new Error(`--gpus is a number, not "${gpus}"`);
  return {
    identities: IDENTITIES,
    images: { [RUNNER_IMAGE]: [process.execPath, RUNNER] },
    nodes:
      gpus === undefined ? STANDARD_NODES : [{ name: "gpu-0", gpus: Number(gpus), gpuClass: "simulated" }],
  };
}

async function down(flags: Flags): Promise<number> {
  const dir = folderOf(flags);
  const running = await findRunning(dir);
  if (running) await runControl(running.control, "shutdown");
  if (flags.delete) await rm(dir, { recursive: true, force: true });
  if (flags.json) console.log(JSON.stringify({ stopped: running !== undefined, dir }));
  else console.log(running ? "stopped" : `no cluster is running in ${dir}`);
  return 0;
}

async function status(flags: Flags): Promise<number> {
  const dir = folderOf(flags);
  const running = await findRunning(dir);
  if (running) {
    const { components, nodes } = await runControl(running.control, "status");
    tell(flags, { ...running, ...(components && { components }), ...(nodes && { nodes }) }, "runs");
    return 0;
  }
  if (flags.json) console.log(JSON.stringify({ ready: false, dir }));
  else console.log(`no cluster is running in ${dir}`);
  return 1;
}

async function node(args: string[]): Promise<number> {
  const { request, flags } = parseNodeCommand(args);
  const dir = folderOf(flags);
  const running = await findRunning(dir);
  if (!running) throw new Error(notRunning(dir));
  const reply = await runControl(running.control, request.verb, request.name, request.details);
  console.log(flags.json ? JSON.stringify(reply) : nodeReport(request, reply));
  return 0;
}

const notRunning = (dir: string) =>
  `no cluster is running in ${dir}: start one with "npm run cluster -- up --detach"`;

function tell(flags: Flags, ready: Ready & Pick<ControlReply, "components" | "nodes">, state: string): void {
  if (flags.json) {
    console.log(JSON.stringify(ready));
    return;
  }
  console.log(`the cluster ${state}: ${ready.server} (${ready.dir})
  export KUBECONFIG=${ready.kubeconfigs["admin"]}
  npm run kubectl -- get nodes`);
}

/** Everything after `kubectl` and its own --name or --dir is kubectl's. */
async function kubectl(args: string[]): Promise<number> {
  const chosen = args[0] === "--name" || args[0] === "--dir" ? { [args[0].slice(2)]: args[1] } : undefined;
  const { kubectl: binary } = await ensureDevCluster({
    cache: cacheDir(process.env),
    onProgress: console.error,
  });
  const child = spawn(binary, chosen ? args.slice(2) : args, {
    stdio: "inherit",
    cwd: invokedFrom,
    env: await envOf(chosen),
  });
  process.on("SIGINT", () => {}); // kubectl gets it too, and ends
  const [code] = (await once(child, "close")) as [number | null];
  return code ?? 1;
}

async function envOf(chosen: Flags | undefined): Promise<NodeJS.ProcessEnv> {
  if (!chosen && process.env["KUBECONFIG"]) return process.env;
  const dir = folderOf(chosen ?? {});
  const running = await findRunning(dir);
  if (!running) throw new Error(notRunning(dir));
  return kubectlEnv(running.kubeconfigs["admin"] ?? "", dir);
}

process.exitCode = await main(process.argv[2], process.argv.slice(3)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  return 1;
});

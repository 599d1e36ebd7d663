/** `npm run cluster -- node ...`: what happens to the simulated nodes of a running cluster. */
import { parseArgs } from "node:util";
import type { ControlDetails, ControlReply, ControlVerb, NodeState } from "./control.ts";

export const NODE_USAGE = `  node list                                  the nodes, their GPUs and whether they run
  node add NAME --class CLASS [--gpus N] [--resource nvidia.com/gpu] [--spot]
                                             one more node, until the cluster stops
  node lose NAME                             a power cut: no word to the API server; pods' processes are killed
  node restore NAME                          a lost one is back, and reports the pods that it had as lost
  node reclaim NAME [--notice SECONDS]       a spot one is taken back: cordoned, tainted and drained as on AKS
                                             (SIGTERM to its pods), and gone after the notice, default 30
  node remove NAME                           gone at once, as when an autoscaler deletes it: perhaps the class has
                                             none left`;

interface NodeFlags {
  readonly class?: string | undefined;
  readonly gpus?: string | undefined;
  readonly resource?: string | undefined;
  readonly spot?: boolean | undefined;
  readonly notice?: string | undefined;
}

export interface NodeRequest {
  readonly verb: ControlVerb;
  readonly name?: string;
  readonly details?: ControlDetails;
  /** Told when it has worked. */
  readonly done: string;
}

const AZURE_NOTICE_SECONDS = 30;

/** Which cluster is meant, and how the answer is told. */
export interface ClusterFlags {
  readonly name?: string | undefined;
  readonly dir?: string | undefined;
  readonly json?: boolean | undefined;
}

/** @throws {Error} with one sentence on what is missing or too much */
export function parseNodeCommand(args: readonly string[]): { request: NodeRequest; flags: ClusterFlags } {
  const { positionals, values } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      name: { type: "string" },
      dir: { type: "string" },
      json: { type: "boolean" },
      class: { type: "string" },
      gpus: { type: "string" },
      resource: { type: "string" },
      spot: { type: "boolean" },
      notice: { type: "string" },
    },
  });
  const { name: cluster, dir, json, ...own } = values;
  const [action = "", node, ...more] = positionals;
  const command = Object.hasOwn(COMMANDS, action) ? COMMANDS[action] : undefined;
  if (!command) throw new Error(`node ${action}: there is list, add, lose, restore, reclaim and remove`);
  const strangers = Object.keys(own).filter((flag) => !command.flags.includes(flag));
  if (strangers.length > 0) throw new Error(`node ${action} has no --${strangers.join(", no --")}`);
  const tooMuch = action === "list" ? node : more[0];
  if (tooMuch !== undefined) throw new Error(`node ${action}: "${tooMuch}" is too much`);
  if (action !== "list" && node === undefined) throw new Error(`node ${action} needs a node's name`);
  return { request: command.request(node ?? "", own), flags: { name: cluster, dir, json } };
}

interface NodeCommand {
  readonly flags: readonly string[];
  readonly request: (name: string, flags: NodeFlags) => NodeRequest;
}

const COMMANDS: Readonly<Record<string, NodeCommand>> = {
  list: { flags: [], request: () => ({ verb: "status", done: "" }) },
  add: {
    flags: ["class", "gpus", "resource", "spot"],
    request(name, { class: gpuClass, gpus = "1", resource, spot = false }) {
      if (gpuClass === undefined) throw new Error("node add needs --class, the GPU class that pools ask for");
      const node = {
        name,
        gpuClass,
        gpus: numberOf("--gpus", gpus),
        spot,
        ...(resource !== undefined && { gpuResource: resource }),
      };
      return { verb: "add-node", name, details: { node }, done: `node ${name} is ready` };
    },
  },
  lose: {
    flags: [],
    request: (name) => ({
      verb: "lose-node",
      name,
      done: `node ${name} is silent; Kubernetes notices it after its grace period, 40 s unless configured`,
    }),
  },
  restore: {
    flags: [],
    request: (name) => ({ verb: "restore-node", name, done: `node ${name} is ready again` }),
  },
  reclaim: {
    flags: ["notice"],
    request(name, { notice = String(AZURE_NOTICE_SECONDS) }) {
      const noticeSeconds = numberOf("--notice", notice);
      const when = noticeSeconds > 0 ? `will be gone in ${noticeSeconds} s, its pods are told` : "is gone";
      return {
        verb: "reclaim-node",
        name,
        details: { noticeSeconds },
        done: `node ${name} ${when}`,
      };
    },
  },
  remove: {
    flags: [],
    request: (name) => ({ verb: "remove-node", name, done: `node ${name} is gone` }),
  },
};

function numberOf(flag: string, text: string): number {
  if (!/^\d+$/.test(text)) throw new Error(`${flag} is a whole number, not "${text}"`);
  return Number(text);
}

/** What a person reads after the command. */
export function nodeReport({ verb, done }: NodeRequest, { nodes = [] }: ControlReply): string {
  if (verb !== "status") return done;
  if (nodes.length === 0) return "the cluster has no nodes";
  const rows = [["NAME", "CLASS", "GPUS", "RESOURCE", "SPOT", "STATE"], ...nodes.map(rowOf)];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows
    .map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("   "))
    .map((line) => line.trimEnd())
    .join("\n");
}

function rowOf({ name, running, gpuClass, gpus, gpuResource, spot, goneInSeconds }: NodeState): string[] {
  return [name, gpuClass ?? "", String(gpus), gpuResource, String(spot), stateOf(running, goneInSeconds)];
}

function stateOf(running: boolean, goneInSeconds: number | undefined): string {
  if (goneInSeconds !== undefined) return `reclaimed, gone in ${Math.ceil(goneInSeconds)} s`;
  return running ? "running" : "lost";
}

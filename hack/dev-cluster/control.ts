/** The control socket of a running cluster: one line of JSON asks, one answers. */
import { connect } from "node:net";
import { text } from "node:stream/consumers";
import type { NodeSpec } from "./node-spec.ts";

/**
 * `restart`, `stop` and `start` take a component (etcd, apiserver, controller-manager, scheduler) and kill it with
 * SIGKILL where they stop it; with etcd or the API server go the two that need it, and they come back with it.
 *
 * `lose-node` is a power cut: the node's pods end and nobody reports it. `restore-node` brings it back; the pods that
 * it had are then reported as lost. `reclaim-node` is what AKS does when Azure takes a spot machine back: condition,
 * event, taint and eviction at once, and after the notice the node is gone. `remove-node` is its end alone.
 */
export type ControlVerb =
  | "status"
  | "restart"
  | "stop"
  | "start"
  | "add-node"
  | "lose-node"
  | "restore-node"
  | "reclaim-node"
  | "remove-node"
  | "shutdown";

/** What some verbs need beside a name. */
export interface ControlDetails {
  /** For `add-node`. */
  readonly node?: NodeSpec;
  /** For `reclaim-node`: without it, or with 0, the node is gone at once. */
  readonly noticeSeconds?: number;
}

export interface NodeState {
  readonly name: string;
  readonly running: boolean;
  readonly gpuClass?: string;
  readonly gpus: number;
  readonly gpuResource: string;
  readonly spot: boolean;
  /** Present while a spot node is being reclaimed. */
  readonly goneInSeconds?: number;
}

export interface ControlReply {
  readonly ok: boolean;
  readonly error?: string;
  readonly seconds: number;
  /** Process ids by component, 0 while stopped. Only in the answer to `status`. */
  readonly components?: Readonly<Record<string, number>>;
  /** Only in the answer to `status`, and not when there are none. */
  readonly nodes?: readonly NodeState[];
}

/** @throws when nobody listens on the socket, and with the cluster's words when it could not do that */
export async function runControl(
  socket: string,
  verb: ControlVerb,
  name?: string,
  details: ControlDetails = {},
): Promise<ControlReply> {
  const connection = connect(socket);
  connection.write(`${JSON.stringify({ verb, name, ...details })}\n`);
  const what = [verb, name].filter(Boolean).join(" ");
  const answer = await text(connection);
  if (answer === "") throw new Error(`${what}: the cluster ended before it answered`);
  const reply = JSON.parse(answer) as ControlReply;
  if (!reply.ok) throw new Error(`${what}: ${reply.error}`);
  return reply;
}

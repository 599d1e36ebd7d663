/** The control socket of a running cluster: one line of JSON asks, one answers. */
import { connect } from "node:net";
import { text } from "node:stream/consumers";

/**
 * `restart`, `stop` and `start` take a component (etcd, apiserver, controller-manager, scheduler) and kill it with
 * SIGKILL where they stop it. `stop-node` is a power cut: the node's pods end and nobody reports it. `start-node` brings
 * it back; the pods that it had are then reported as lost.
 */
export type ControlVerb = "status" | "restart" | "stop" | "start" | "stop-node" | "start-node" | "shutdown";

export interface ControlReply {
  readonly ok: boolean;
  readonly error?: string;
  readonly seconds: number;
  /** Process ids by component, 0 while stopped. Only in the answer to `status`. */
  readonly components?: Readonly<Record<string, number>>;
  /** Whether each node runs. Only in the answer to `status`. */
  readonly nodes?: Readonly<Record<string, boolean>>;
}

/** @throws when nobody listens on the socket, and with the cluster's words when it could not do that */
export async function runControl(socket: string, verb: ControlVerb, name?: string): Promise<ControlReply> {
  const connection = connect(socket);
  connection.write(`${JSON.stringify({ verb, name })}\n`);
  const reply = JSON.parse(await text(connection)) as ControlReply;
  if (!reply.ok) throw new Error(`${[verb, name].filter(Boolean).join(" ")}: ${reply.error}`);
  return reply;
}

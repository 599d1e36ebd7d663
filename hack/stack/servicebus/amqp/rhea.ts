/**
 * rhea, and the few of its fields that its typings leave out. They are read here alone and checked, so that a
 * rhea that has changed says so.
 */
import rhea, { type Delivery, type link, type Sender } from "rhea";

export type { Connection, Delivery, EventContext, Message, Receiver, Sender } from "rhea";

export const { message: amqpMessage, types: amqpTypes } = rhea;
export const createContainer = rhea.create_container.bind(rhea);

/** Fields of our half of an attach frame, to be set before it is sent. */
export interface AttachFields {
  snd_settle_mode?: number;
  rcv_settle_mode?: number;
  properties?: Record<string, unknown>;
}

export function setAttachFields(target: link, fields: AttachFields): void {
  const local: unknown = Reflect.get(target, "local");
  const attach: unknown =
    typeof local === "object" && local !== null ? Reflect.get(local, "attach") : undefined;
  if (typeof attach !== "object" || attach === null) throw new Error("this rhea has no link.local.attach");
  Object.assign(attach, fields);
}

/** How many transfers the peer allows on this link, counted from its beginning. */
export function transferLimit(sender: Sender): number {
  return numberOf(sender, "delivery_count") + numberOf(sender, "credit");
}

/** Gives back the credit that is left, when the peer has asked for that. @returns false when it has not */
export function answerDrain(sender: Sender): boolean {
  if (Reflect.get(sender, "_draining") !== true || numberOf(sender, "credit") === 0) return false;
  sender.set_drained(true);
  // rhea would send it only with the next frame that it has to send anyway.
  const register: unknown = Reflect.get(sender.connection, "_register");
  if (typeof register !== "function") throw new Error("this rhea has no connection._register");
  register.call(sender.connection);
  return true;
}

/**
 * A receiver of Azure's SDK never settles what the server has settled already. Without this rhea would keep
 * every delivery, and the session would stop after exactly 2,048 of them.
 */
export function settledByPeer(delivery: Delivery): void {
  Object.assign(delivery, { remote_settled: true });
}

const OUTCOME_CODES = { accepted: 0x24, rejected: 0x25, released: 0x26, modified: 0x27 } as const;
const ERROR_CODE = 0x1d;

/** What a client decided about a delivery, and what it is answered. */
export type OutcomeName = keyof typeof OUTCOME_CODES;

export function outcome(name: OutcomeName): unknown {
  return described(OUTCOME_CODES[name], []);
}

export function rejectedWith(fault: { readonly condition: string; readonly description: string }): unknown {
  const error = described(ERROR_CODE, [amqpTypes.wrap_symbol(fault.condition), fault.description]);
  return described(OUTCOME_CODES.rejected, [error]);
}

function described(code: number, fields: unknown[]): unknown {
  return amqpTypes.described(amqpTypes.wrap_ulong(code), amqpTypes.wrap_list(fields));
}

function numberOf(target: object, field: string): number {
  const value: unknown = Reflect.get(target, field);
  if (typeof value !== "number") throw new Error(`this rhea has no number ${field}`);
  return value;
}

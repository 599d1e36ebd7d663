import type { Broker, Source } from "../broker.ts";
import { NO_SESSION, notFound, SESSION_HELD, SESSION_REQUIRED } from "./conditions.ts";
import { ReceiverLink } from "./receiver-link.ts";
import { amqpTypes, setAttachFields, type Sender } from "./rhea.ts";

const SESSION_FILTER = "com.microsoft:session-filter";
const LOCKED_UNTIL = "com.microsoft:locked-until-utc";
/** .NET counts time in units of 100 ns since the year 1. */
const TICKS_PER_MILLISECOND = 10_000n;
const TICKS_AT_1970 = 621_355_968_000_000_000n;

/**
 * Answers a client that wants to receive: mirrors its settle modes, gives it the session it asks for, and
 * starts handing out messages. Undefined when it was refused; the link is closed with the reason then.
 */
export function openReceiverLink(broker: Broker, sender: Sender, address: string): ReceiverLink | undefined {
  setAttachFields(sender, {
    snd_settle_mode: sender.snd_settle_mode,
    rcv_settle_mode: sender.rcv_settle_mode,
  });
  const source = broker.source(address);
  if (source === undefined) {
    sender.close(notFound(address));
    return undefined;
  }
  const needsSession = source.queue.settings.requiresSession && source.subqueue === "main";
  const sessionId = needsSession ? acceptSession(broker, sender, source) : undefined;
  if (needsSession && sessionId === undefined) return undefined;
  const link = new ReceiverLink({ broker, sender, source, sessionId });
  broker.attach(link, source);
  return link;
}

function acceptSession(broker: Broker, sender: Sender, { queue }: Source): string | undefined {
  const wanted = wantedSession(sender);
  if (wanted === "none-asked") {
    sender.close(SESSION_REQUIRED);
    return undefined;
  }
  const accepted = queue.acceptSession(wanted.id, broker.now());
  if (typeof accepted === "string") {
    sender.close(accepted === "held" ? SESSION_HELD : NO_SESSION);
    return undefined;
  }
  sender.set_source({ address: queue.name, filter: { [SESSION_FILTER]: accepted.id } });
  const ticks = BigInt(accepted.until) * TICKS_PER_MILLISECOND + TICKS_AT_1970;
  setAttachFields(sender, { properties: { [LOCKED_UNTIL]: amqpTypes.wrap_long(Number(ticks)) } });
  return accepted.id;
}

/** A filter without a value asks for any session. */
function wantedSession(sender: Sender): "none-asked" | { id: string | undefined } {
  const filter: unknown = sender.source.filter;
  if (typeof filter !== "object" || filter === null || !(SESSION_FILTER in filter)) return "none-asked";
  const value: unknown = filter[SESSION_FILTER];
  const id: unknown = typeof value === "object" && value !== null ? Reflect.get(value, "value") : value;
  return { id: typeof id === "string" ? id : undefined };
}

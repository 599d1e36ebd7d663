import type { Broker, Consumer, Source } from "../broker.ts";
import type { StoredMessage } from "../queue/message.ts";
import { LOCK_LOST, notFound, SESSION_LOCK_LOST, type AmqpFault } from "./conditions.ts";
import { uuidToDeliveryTag } from "./lock-token.ts";
import { encodeForReceiver } from "./message-codec.ts";
import { outcomeFrom } from "./outcome.ts";
import { answerDrain, outcome, rejectedWith, settledByPeer, transferLimit } from "./rhea.ts";
import type { Delivery, OutcomeName, Sender } from "./rhea.ts";

const PRESETTLED = 1;
const PLAIN_FORMAT = 0;

/** A link over which a client receives: it hands out messages and takes their outcomes. */
export class ReceiverLink implements Consumer {
  readonly mode: Consumer["mode"];
  readonly sessionId: string | undefined;
  readonly #broker: Broker;
  readonly #sender: Sender;
  readonly #source: Source;
  /** Deliveries that have no outcome yet, and the lock token of each. */
  readonly #open = new Map<Delivery, string>();
  /** Transfers that were handed to rhea, which counts them only when it sends them. */
  #handedOver = 0;
  #isCutOff = false;

  constructor(options: { broker: Broker; sender: Sender; source: Source; sessionId: string | undefined }) {
    this.#broker = options.broker;
    this.#sender = options.sender;
    this.#source = options.source;
    this.sessionId = options.sessionId;
    this.mode = options.sender.snd_settle_mode === PRESETTLED ? "receive-and-delete" : "peek-lock";
  }

  credit(): number {
    return this.#sender.sendable() ? transferLimit(this.#sender) - this.#handedOver : 0;
  }

  deliver(message: StoredMessage): void {
    const encoded = encodeForReceiver(message, this.#source.queue.name);
    const tag = message.lock && uuidToDeliveryTag(message.lock.token);
    const delivery = this.#sender.send(encoded, tag, PLAIN_FORMAT);
    this.#handedOver += 1;
    if (message.lock !== undefined) this.#open.set(delivery, message.lock.token);
  }

  settled(): void {
    // At once: a client whose drain is not answered closes the link.
    const limit = transferLimit(this.#sender);
    if (answerDrain(this.#sender)) this.#handedOver = limit;
  }

  cutOff(reason: "session-lost" | "queue-deleted"): void {
    this.#isCutOff = true;
    this.#sender.close(reason === "session-lost" ? SESSION_LOCK_LOST : notFound(this.#source.queue.name));
  }

  /** The link is gone. Locks stay until they expire, as in Azure; a session goes back at once. */
  close(): void {
    this.#broker.detach(this);
    // A session that was lost may be somebody else's by now.
    if (this.sessionId !== undefined && !this.#isCutOff) this.#source.queue.releaseSession(this.sessionId);
    this.#broker.touch();
  }

  /** The client has decided about a delivery; it hears back once that is in the journal. */
  onOutcome(name: OutcomeName, delivery: Delivery): void {
    const token = this.#open.get(delivery);
    if (token === undefined) return; // a repeated frame
    this.#open.delete(delivery);
    const { queue } = this.#source;
    const message = queue.locked(token);
    const isSettled = message !== undefined && queue.settle(token, outcomeFrom(name, delivery, message));
    this.#broker.afterCommit(() => answer(delivery, name, isSettled ? undefined : LOCK_LOST));
  }
}

function answer(delivery: Delivery, name: OutcomeName, fault: AmqpFault | undefined): void {
  delivery.update(true, fault === undefined ? outcome(name) : rejectedWith(fault));
  settledByPeer(delivery);
}

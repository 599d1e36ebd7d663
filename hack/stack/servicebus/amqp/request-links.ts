import type { Broker } from "../broker.ts";
import { isValidSasToken } from "../sas-token.ts";
import { notFound, UNAUTHORISED } from "./conditions.ts";
import { manage, type Answer } from "./management.ts";
import { amqpTypes, type Message, type Sender } from "./rhea.ts";

const CBS = "$cbs";
const MANAGEMENT = /\/?\$management$/i;

/** True for the addresses that take requests and answer them, instead of holding messages. */
export function isRequestAddress(address: string): boolean {
  return address === CBS || MANAGEMENT.test(address);
}

/**
 * The request-response links of one connection. A client names its receiving link as the `reply_to` of its
 * requests; whether it has put a valid token decides what else it may do on this connection.
 */
export class RequestLinks {
  isAuthorised = false;
  readonly #broker: Broker;
  readonly #key: string;
  readonly #replies = new Map<string, Sender>();

  constructor(broker: Broker, key: string) {
    this.#broker = broker;
    this.#key = key;
  }

  addReplyLink(sender: Sender): void {
    this.#replies.set(sender.name, sender);
    sender.once("sender_close", () => this.#replies.delete(sender.name));
  }

  /** Answers once the journal holds what the request has changed. */
  onRequest(address: string, request: Message): void {
    const reply = this.#replies.get(String(request.reply_to));
    if (reply === undefined) return;
    const answer = this.#answer(address, request);
    this.#broker.afterCommit(() => {
      // A client that gives no credit for answers gets none.
      if (reply.is_open() && reply.sendable()) reply.send(encodeAnswer(answer, request.message_id));
    });
  }

  #answer(address: string, request: Message): Answer {
    if (address === CBS) return this.#putToken(request.body);
    if (!this.isAuthorised) return { status: 401, fault: UNAUTHORISED };
    const entity = address.replace(MANAGEMENT, "");
    const source = this.#broker.source(entity);
    if (source === undefined) return { status: 404, fault: notFound(entity) };
    const operation = String(request.application_properties?.["operation"]);
    try {
      return manage(this.#broker, source, operation, request.body ?? {});
    } catch (error) {
      const description = error instanceof Error ? error.message : String(error);
      return { status: 400, fault: { condition: "amqp:invalid-field", description } };
    }
  }

  #putToken(token: unknown): Answer {
    const isValid = isValidSasToken(token, this.#key, this.#broker.now());
    this.isAuthorised ||= isValid;
    return isValid ? { status: 202 } : { status: 401, fault: UNAUTHORISED };
  }
}

/** Both spellings of the status: `$cbs` and `$management` clients look for different ones. */
function encodeAnswer({ status, body, fault }: Answer, correlationId: Message["message_id"]): Message {
  const description = fault?.description ?? "OK";
  return {
    ...(correlationId !== undefined && { correlation_id: correlationId }),
    body: body ?? "",
    application_properties: {
      statusCode: amqpTypes.wrap_int(status),
      "status-code": amqpTypes.wrap_int(status),
      statusDescription: description,
      "status-description": description,
      ...(fault !== undefined && {
        errorCondition: amqpTypes.wrap_symbol(fault.condition),
        "error-condition": amqpTypes.wrap_symbol(fault.condition),
      }),
    },
  };
}

import type { StoredMessage } from "../queue/message.ts";
import type { Outcome } from "../queue/queue.ts";
import { withProperties } from "./message-codec.ts";
import type { Delivery, OutcomeName } from "./rhea.ts";

/** What a client decided about a message, from the disposition frame that it sent. */
export function outcomeFrom(name: OutcomeName, delivery: Delivery, message: StoredMessage): Outcome {
  const state = delivery.remote_state;
  switch (name) {
    case "accepted":
      return { kind: "completed" };
    case "released":
      return { kind: "abandoned" };
    case "modified": {
      const amqp = withProperties(message.amqp, state?.["message_annotations"]);
      return { kind: state?.["undeliverable_here"] === true ? "deferred" : "abandoned", amqp };
    }
    case "rejected":
      return deadLetteredWith(state?.["error"]?.info, message);
    default:
      return name satisfies never;
  }
}

function deadLetteredWith(
  info: Readonly<Record<string, unknown>> | undefined,
  message: StoredMessage,
): Outcome {
  const { DeadLetterReason: reason, DeadLetterErrorDescription: description, ...properties } = info ?? {};
  return {
    kind: "dead-lettered",
    deadLetter: deadLetterOf(reason, description),
    amqp: withProperties(message.amqp, properties),
  };
}

/** Both are free text, and either may be missing. */
export function deadLetterOf(
  reason: unknown,
  description: unknown,
): { reason?: string; description?: string } {
  return {
    ...(typeof reason === "string" && { reason }),
    ...(typeof description === "string" && { description }),
  };
}

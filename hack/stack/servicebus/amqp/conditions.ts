/** The error conditions that Azure Service Bus answers with, as far as they occur here. */
export interface AmqpFault {
  readonly condition: string;
  readonly description: string;
}

export const LOCK_LOST: AmqpFault = {
  condition: "com.microsoft:message-lock-lost",
  description:
    "The lock supplied is invalid. Either the lock expired, or the message has already been removed from the queue.",
};

export const SESSION_LOCK_LOST: AmqpFault = {
  condition: "com.microsoft:session-lock-lost",
  description: "The session lock has expired: it was not renewed in time.",
};

export const SESSION_HELD: AmqpFault = {
  condition: "com.microsoft:session-cannot-be-locked",
  description: "The requested session cannot be accepted: another receiver holds it.",
};

export const NO_SESSION: AmqpFault = {
  condition: "com.microsoft:timeout",
  description: "No session with messages is free.",
};

export const SESSION_REQUIRED: AmqpFault = {
  condition: "amqp:not-allowed",
  description: "This queue requires sessions: receive from it by accepting a session.",
};

export const MESSAGE_NOT_FOUND: AmqpFault = {
  condition: "com.microsoft:message-not-found",
  description: "There is no such message.",
};

export const UNAUTHORISED: AmqpFault = {
  condition: "amqp:unauthorized-access",
  description: "No valid token was put for this connection.",
};

export const TOO_LARGE: AmqpFault = {
  condition: "amqp:link:message-size-exceeded",
  description: "The message is larger than this queue takes.",
};

export function notFound(address: string): AmqpFault {
  return {
    condition: "amqp:not-found",
    description: `The messaging entity '${address}' could not be found.`,
  };
}

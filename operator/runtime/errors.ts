/** Errors, by what the caller should do about them. Anything else is transient: try again with back-off. */

/** We acted on an old read: look again at once. Nothing is wrong. */
export class StaleError extends Error {
  override readonly name = "StaleError";
}

/** Trying again cannot help. `reason` is a CamelCase word for conditions and events. */
export class TerminalError extends Error {
  override readonly name = "TerminalError";
  readonly reason: string;

  constructor(reason: string, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}

/** This process no longer leads and must not write. */
export class LeadershipLostError extends Error {
  override readonly name = "LeadershipLostError";
}

/** No answer came, or not all of it: what was asked for may have been done or not. */
export class NoAnswerError extends Error {
  override readonly name = "NoAnswerError";
}

/** The API server answered with an error status. */
export class ApiStatusError extends Error {
  override readonly name = "ApiStatusError";
  readonly status: number;
  /** Kubernetes' own word, for example AlreadyExists or Expired; empty when it gave none. */
  readonly reason: string;
  readonly retryAfterMs: number | undefined;

  constructor(facts: { status: number; reason: string; message: string; retryAfterMs?: number | undefined }) {
    super(facts.message);
    this.status = facts.status;
    this.reason = facts.reason;
    this.retryAfterMs = facts.retryAfterMs;
  }
}

export function isStatus(error: unknown, status: number, reason?: string): boolean {
  return (
    error instanceof ApiStatusError &&
    error.status === status &&
    (reason === undefined || error.reason === reason)
  );
}

/** The API server is away or overloaded: it is not the object's fault, and will be over for all at once. */
export function isServerTrouble(error: unknown): boolean {
  if (error instanceof NoAnswerError) return true;
  return error instanceof ApiStatusError && (error.status === 429 || error.status >= 500);
}

/** Errors that the caller of the api can act on, and their form on the wire: problem+json (RFC 9457). */

export interface FieldError {
  /** Path of the field in the request, `items[3].filename`. */
  readonly field: string;
  readonly message: string;
}

/** The status codes that the api answers with on purpose. */
export type ErrorStatus = 400 | 401 | 403 | 404 | 405 | 409 | 413 | 415 | 422 | 429 | 503;

export interface Refusal {
  readonly status: ErrorStatus;
  /** Stable and machine-readable; renaming one breaks a client. */
  readonly code: string;
  /** For people: what is wrong and what to do about it. */
  readonly detail: string;
  readonly errors?: readonly FieldError[];
  readonly headers?: Readonly<Record<string, string>>;
}

export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly refusal: Refusal;

  constructor(refusal: Refusal) {
    super(`${refusal.status} ${refusal.code}: ${refusal.detail}`);
    this.refusal = refusal;
  }
}

/** 422 with the one field that is wrong. */
export function invalidField(field: string, message: string, code = "invalid_request"): ApiError {
  return new ApiError({
    status: 422,
    code,
    detail: `${field}: ${message}`,
    errors: [{ field, message }],
  });
}

const TITLES: Readonly<Record<number, string>> = {
  400: "Bad request",
  401: "Not authenticated",
  403: "Forbidden",
  404: "Not found",
  405: "Method not allowed",
  409: "Conflict",
  413: "Too large",
  415: "Unsupported media type",
  422: "Invalid request",
  429: "Too many requests",
  500: "Internal error",
  503: "Not available",
};

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly instance: string;
  readonly request_id: string;
  readonly correlation_id: string;
  readonly errors?: readonly FieldError[];
}

interface Occurrence {
  readonly path: string;
  readonly requestId: string;
  readonly correlationId: string;
}

type ProblemFacts = Omit<Refusal, "status" | "headers"> & { readonly status: number };

export function problemOf({ status, code, detail, errors }: ProblemFacts, at: Occurrence): Problem {
  return {
    type: `urn:opal:problem:${code}`,
    title: TITLES[status] ?? "Error",
    status,
    code,
    detail,
    instance: at.path,
    request_id: at.requestId,
    correlation_id: at.correlationId,
    ...(errors && { errors }),
  };
}

import type { FailureClass } from "#crds/failure.ts";

/** A failure whose class is known where it happens. The message is for the person who can mend it. */
export class Failure extends Error {
  override readonly name: string = "Failure";
  readonly class: FailureClass;

  constructor(failureClass: FailureClass, message: string, options?: ErrorOptions) {
    super(message, options);
    this.class = failureClass;
  }
}

/** Words by which ONNX Runtime, V8 and the kernel say that memory ran out. */
const OUT_OF_MEMORY =
  /out of memory|failed to allocate|bad_alloc|cudaErrorMemoryAllocation|Array buffer allocation failed|Invalid typed array length/i;

export function isOutOfMemory(error: unknown): boolean {
  return error instanceof Error && OUT_OF_MEMORY.test(error.message);
}

export interface ClassifiedFailure {
  readonly class: FailureClass;
  readonly message: string;
}

/** What is known by its class keeps it; memory is told by the message; the rest is `unknown`. */
export function classify(error: unknown): ClassifiedFailure {
  if (error instanceof Failure) return { class: error.class, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { class: isOutOfMemory(error) ? "out-of-memory" : "unknown", message };
}

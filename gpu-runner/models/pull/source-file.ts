/** Where the files of a model's folder come from. */

export interface SourceFile {
  /** Undefined where the server does not say. */
  readonly bytes: number | undefined;
  /** Changes when the content does. Without one a download that was cut off begins anew. */
  readonly validator: string | undefined;
  /** The content from a place on; without a validator from 0 alone. @throws {PullError} */
  read(from: number): AsyncIterable<Uint8Array>;
}

export interface Source {
  /** Undefined when there is no such file. @throws {PullError} when that cannot be told. */
  open(path: string): Promise<SourceFile | undefined>;
}

/** What stands in the way, in a sentence for whoever pulls. */
export class PullError extends Error {
  override readonly name = "PullError";
}

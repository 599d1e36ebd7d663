/** One regular file of a package. Its content must be read before the next file is asked for. */
export interface PackagedFile {
  readonly path: string;
  readonly bytes: number;
  readonly content: AsyncIterable<Buffer>;
}

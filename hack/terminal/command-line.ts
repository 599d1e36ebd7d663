/** What the command lines of this folder have in common: a wrong call is told how it is done, an error in one line. */
const EXIT_USAGE = 2;

export interface CommandLine<Options> {
  /** @throws {Error} that says what is wrong with the call */
  readonly parse: () => Options;
  readonly usage: string;
  /** @returns the exit code */
  readonly run: (options: Options) => Promise<number>;
}

/** @returns the exit code: that of `run`, 1 when it throws, 2 for a wrong call. */
export async function runCommandLine<Options>({ parse, usage, run }: CommandLine<Options>): Promise<number> {
  let options: Options;
  try {
    options = parse();
  } catch (error) {
    console.error(`${messageOf(error)}\n\n${usage}`);
    return EXIT_USAGE;
  }
  try {
    return await run(options);
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

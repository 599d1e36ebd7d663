export interface ConsoleCommand {
  /** As typed after the prompt. */
  readonly command: string;
  /** What the document shows below it, line by line. */
  readonly shown: readonly string[];
}

/** The commands of a document's ```console blocks: lines that begin with "$ ", each with its shown output. */
export function consoleCommands(markdown: string): ConsoleCommand[] {
  const blocks = [...markdown.matchAll(/^```console\n([\s\S]*?)^```/gm)].map(([, body]) => body ?? "");
  return blocks.flatMap((body) =>
    body
      .split(/^\$ /m)
      .slice(1)
      .map((part) => {
        const [command = "", ...shown] = part.trimEnd().split("\n");
        return { command, shown };
      }),
  );
}

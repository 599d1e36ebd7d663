/**
 * How long work shows itself: one line a step, rewritten in place on a terminal; where the output is piped, one
 * line when a long step begins and one when it ends. Goes to stderr: stdout belongs to results.
 */
export interface Steps {
  /**
   * Runs `work` under a title. `usually` says how long it takes ("6-7 minutes, once"); `progress` replaces the
   * text behind the title.
   */
  run<T>(title: string, usually: string, work: (progress: (text: string) => void) => Promise<T>): Promise<T>;
}

interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  readonly columns?: number;
}

export function createSteps(output: Output, nowMs: () => number): Steps {
  const live = output.isTTY === true;
  const show = (line: string, end: boolean) => {
    if (live) output.write(`\r\u001B[2K${line.slice(0, (output.columns ?? 80) - 1)}${end ? "\n" : ""}`);
    else output.write(`${line}\n`);
  };
  return {
    async run(title, usually, work) {
      const started = nowMs();
      const seconds = () => ((nowMs() - started) / 1000).toFixed(1);
      show(`… ${title} (usually ${usually})`, false);
      try {
        const result = await work((text) => live && show(`… ${title}: ${text} (${seconds()} s)`, false));
        show(`✓ ${title} (${seconds()} s)`, true);
        return result;
      } catch (error) {
        show(`✗ ${title} (${seconds()} s)`, true);
        throw error;
      }
    },
  };
}

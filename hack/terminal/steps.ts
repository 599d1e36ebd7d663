/**
 * How long work shows itself: one line a step, rewritten in place on a terminal; where the output is piped, one
 * line when a long step begins and one when it ends. Goes to stderr: stdout belongs to results.
 */
export interface Steps {
  /**
   * Runs `work` under a title. `usually` says how long it takes ("6-7 minutes, once"); `progress` replaces the
   * text behind the title.
   */
  run<T>(title: string, usually: string, work: Work<T>): Promise<T>;
  /** The same for work that is often done already: says nothing unless `progress` is called. */
  runIfNeeded<T>(title: string, usually: string, work: Work<T>): Promise<T>;
}

type Work<T> = (progress: (text: string) => void) => Promise<T>;

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
  const step = async <T>(title: string, usually: string, work: Work<T>, announced: boolean): Promise<T> => {
    const started = nowMs();
    const seconds = () => ((nowMs() - started) / 1000).toFixed(1);
    const announce = () => {
      announced = true;
      show(`… ${title} (usually ${usually})`, false);
    };
    if (announced) announce();
    try {
      const result = await work((text) => {
        if (!announced) announce();
        if (live) show(`… ${title}: ${text} (${seconds()} s)`, false);
      });
      if (announced) show(`✓ ${title} (${seconds()} s)`, true);
      return result;
    } catch (error) {
      show(`✗ ${title} (${seconds()} s)`, true);
      throw error;
    }
  };
  return {
    run: (title, usually, work) => step(title, usually, work, true),
    runIfNeeded: (title, usually, work) => step(title, usually, work, false),
  };
}

/** How the demo speaks: lines for people, or with --json one object a line for programs. */
import { createSteps, type Steps } from "../terminal/steps.ts";
import { progressLine, type ItemProgress } from "./progress-view.ts";

export interface FinishedItem {
  readonly id: string;
  readonly filename: string;
  readonly state: string;
  readonly exports: readonly string[];
  /** Seconds per stage. */
  readonly seconds: Readonly<Record<string, number>>;
}

export interface Finished {
  readonly ok: boolean;
  readonly items: readonly FinishedItem[];
  readonly seconds: Readonly<{ setup: number; start: number; work: number }>;
}

export interface Narrator {
  readonly steps: Steps;
  /** A line for people; nothing with --json. */
  say(text: string): void;
  /** A line for programs; nothing without --json. */
  event(event: string, facts: Readonly<Record<string, unknown>>): void;
  /** Where all photos stand now. On a terminal the lines are rewritten, elsewhere only changed ones are printed. */
  progress(items: readonly { filename: string; id: string; progress: ItemProgress }[]): void;
  finished(result: Finished): void;
}

interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export function createNarrator({ json, out, err }: { json: boolean; out: Output; err: Output }): Narrator {
  const last = new Map<string, string>();
  let drawn = 0;
  const print = (text: string) => out.write(`${text}\n`);
  const event = (name: string, facts: Readonly<Record<string, unknown>>) => {
    if (json) print(JSON.stringify({ event: name, ...facts }));
  };
  return {
    steps: createSteps(err, () => performance.now()),
    event,
    say: (text) => void (json || print(text)),
    progress(items) {
      const width = Math.max(...items.map(({ filename }) => filename.length));
      const lines = items.map((item) => ({
        ...item,
        line: progressLine(item.filename, width, item.progress),
      }));
      const changed = lines.filter(({ id, line }) => last.get(id) !== line);
      for (const { id, line, progress } of changed) {
        last.set(id, line);
        event("progress", { id, ...progress });
      }
      if (json || changed.length === 0) return;
      if (!out.isTTY) return changed.forEach(({ line }) => void print(line));
      if (drawn > 0) out.write(`\u001B[${drawn}A`);
      for (const { line } of lines) out.write(`\u001B[2K${line}\n`);
      drawn = lines.length;
    },
    finished(result) {
      if (json) return event("finished", { ...result });
      const { setup, start, work } = result.seconds;
      print("");
      for (const item of result.items) {
        const stages = Object.entries(item.seconds).map(
          ([stage, seconds]) => `${stage} ${seconds.toFixed(1)} s`,
        );
        print(`${item.filename}: ${item.state}${stages.length > 0 ? `  (${stages.join(", ")})` : ""}`);
      }
      print(`time: set-up ${setup} s, start ${start} s, work ${work} s`);
    },
  };
}

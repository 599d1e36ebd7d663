import { createReadStream } from "node:fs";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { type RecordedDecision, parseDecision } from "../../operator/schedule/recording.ts";

/** The one file that the command names; else says how it is used and ends with 64. */
export function fileOf(positionals: readonly string[], usage: string): string {
  const [file, ...more] = positionals;
  if (file === undefined || more.length > 0) {
    console.error(`usage: ${usage}`);
    process.exit(64);
  }
  return resolve(process.env["OPAL_INVOKED_FROM"] ?? ".", file);
}

export interface NumberedDecision {
  /** In the file, from 1. */
  readonly line: number;
  readonly decision: RecordedDecision;
}

/**
 * Reads recorded decisions one by one, so that a long recording needs little memory. Throws at a line that is
 * none, unless it is the last: the operator may have died while it wrote that one.
 */
export async function* readDecisions(file: string): AsyncGenerator<NumberedDecision> {
  let line = 0;
  let broken: { line: number; cause: unknown } | undefined;
  for await (const text of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
    line++;
    if (broken) throw new Error(`line ${broken.line} of ${file}`, { cause: broken.cause });
    if (text === "") continue;
    let decision: RecordedDecision;
    try {
      decision = parseDecision(text);
    } catch (cause) {
      broken = { line, cause };
      continue;
    }
    yield { line, decision };
  }
  if (broken) console.error(`line ${broken.line}, the last one, is not whole: ${String(broken.cause)}`);
}

/** What is measured of one size: seconds a step of ours and both peers in turns, and the most memory each held. */
import * as z from "zod";
import { median, quantile } from "../report.ts";
import type { WorkedProgram } from "../worked-program.ts";

const BYTES_A_MEGABYTE = 1e6;
const GUIDANCE = 7.5;
const Answer = z.object({
  stepSeconds: z.array(z.number().positive()).min(1),
  networkSeconds: z.array(z.number().positive()).optional(),
});
type Answer = z.infer<typeof Answer>;

export const PARTIES = ["ours", "onnx", "torch"] as const;
export type Party = (typeof PARTIES)[number];
export type Programs = Readonly<Record<Party, WorkedProgram>>;

export interface Rounds {
  readonly rounds: number;
  readonly steps: number;
  readonly onProgress: (text: string) => void;
}

export interface SizeFigures {
  /** A step of each, the median over all steps. */
  readonly stepSeconds: Readonly<Record<Party, number>>;
  readonly peakMegabytes: Readonly<Record<Party, number>>;
  /** Round by round, of medians; the middle, and the spread from the lowest to the highest. */
  readonly ratios: Readonly<Record<"onnx" | "torch", { median: number; lowest: number; highest: number }>>;
  /** Share of a step of ours that no network took. */
  readonly overhead: number;
}

async function ask(program: WorkedProgram, steps: number): Promise<Answer> {
  return Answer.parse((await program.ask({ steps, guidance: GUIDANCE })).answer);
}

const overheadsOf = ({ stepSeconds, networkSeconds = [] }: Answer) =>
  stepSeconds.map((seconds, i) => 1 - (networkSeconds[i] ?? NaN) / seconds);

function spread(values: readonly number[]) {
  return { median: median(values), lowest: quantile(values, 0), highest: quantile(values, 1) };
}

/** The order turns from round to round; a first round warms all up and is not counted. */
export async function measureSize(
  programs: Programs,
  { rounds, steps, onProgress }: Rounds,
): Promise<SizeFigures> {
  const answers: Record<Party, Answer[]> = { ours: [], onnx: [], torch: [] };
  for (let round = 0; round <= rounds; round++) {
    onProgress(`${round} of ${rounds}`);
    for (let turn = 0; turn < PARTIES.length; turn++) {
      const party = PARTIES[(turn + round) % PARTIES.length] ?? "ours";
      const answer = await ask(programs[party], steps);
      if (round > 0) answers[party].push(answer);
    }
  }
  const each = async <T>(of: (party: Party) => T | Promise<T>) => ({
    ours: await of("ours"),
    onnx: await of("onnx"),
    torch: await of("torch"),
  });
  const medians = (party: Party) => answers[party].map(({ stepSeconds }) => median(stepSeconds));
  const ratio = (peer: Party) => {
    const theirs = medians(peer);
    return spread(medians("ours").map((seconds, i) => seconds / (theirs[i] ?? NaN)));
  };
  return {
    stepSeconds: await each((party) => median(answers[party].flatMap(({ stepSeconds }) => stepSeconds))),
    peakMegabytes: await each(async (party) => (await programs[party].memory()).peakBytes / BYTES_A_MEGABYTE),
    ratios: { onnx: ratio("onnx"), torch: ratio("torch") },
    overhead: median(answers.ours.flatMap(overheadsOf)),
  };
}

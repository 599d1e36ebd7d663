import type { Steps } from "../../terminal/steps.ts";
import type { Reaper } from "../../processes/reaper.ts";
import type { KueuePeer } from "../kueue/peer.ts";
import type { Goal } from "../report.ts";
import type { Contender } from "./contender.ts";
import { describeRound, figuresOf, ratiosOf } from "./figures.ts";
import { createKueue } from "./kueue.ts";
import { createOpal } from "./opal.ts";
import { plain } from "./plain.ts";
import { type Round, runRound } from "./round.ts";

const GPUS = 8;
const GPU_CLASS = "simulated";

export interface SmallJobs {
  readonly jobs: number;
  /** Of OpalJobs and of plain Jobs. */
  readonly rounds: number;
  readonly kueueRounds: number;
  /** Whether OpalJobs may share children. */
  readonly isCoalescing: boolean;
  /** Needed where there are rounds of it. */
  readonly kueue: KueuePeer | undefined;
  readonly reaper: Reaper;
  readonly steps: Steps;
  readonly print: (line: string) => void;
}

/** One-picture jobs on one node with eight GPUs, in turn: OpalJobs, plain Jobs, Jobs through Kueue. */
export async function runSmallJobs(
  settings: SmallJobs,
): Promise<{ figures: Record<string, number>; goals: Goal[] }> {
  const contenders = contendersOf(settings);
  const rounds = new Map<string, Round[]>();
  const most = Math.max(...contenders.map(({ rounds }) => rounds));
  for (let turn = 1; turn <= most; turn++) {
    for (const { contender } of contenders.filter(({ rounds }) => turn <= rounds)) {
      const round = await settings.steps.run(
        `${contender.name}, round ${turn}`,
        "half a minute; Kueue's two minutes",
        (onProgress) => runOne(contender, settings, onProgress),
      );
      rounds.set(contender.name, [...(rounds.get(contender.name) ?? []), round]);
    }
  }
  const figures: Record<string, number> = {};
  for (const [name, of] of rounds) {
    Object.assign(figures, figuresOf(name, of, settings.jobs));
    for (const line of describeRound(name, middle(of), settings.jobs)) settings.print(line);
  }
  return { figures, goals: ratiosOf(figures) };
}

function contendersOf({
  rounds,
  kueueRounds,
  kueue,
  isCoalescing,
}: SmallJobs): { contender: Contender; rounds: number }[] {
  const pool = { name: "local", gpuClass: GPU_CLASS, gpus: GPUS };
  return [
    { contender: createOpal({ pool, pictures: 1, isCoalescing }), rounds },
    { contender: plain, rounds },
    ...(kueue ? [{ contender: createKueue(kueue, GPUS), rounds: kueueRounds }] : []),
  ];
}

function runOne(
  contender: Contender,
  { jobs, reaper }: SmallJobs,
  onProgress: (text: string) => void,
): Promise<Round> {
  return runRound({
    contender,
    jobs,
    warmUpJobs: GPUS,
    nodes: [{ name: "gpu-0", gpus: GPUS, gpuClass: GPU_CLASS }],
    gpus: GPUS,
    reaper,
    onProgress,
  });
}

/** The round with the middle wall: its tables are shown. */
function middle(rounds: readonly Round[]): Round {
  const sorted = [...rounds].sort((a, b) => a.wallSeconds - b.wallSeconds);
  const round = sorted[Math.floor((sorted.length - 1) / 2)];
  if (!round) throw new RangeError("no rounds");
  return round;
}

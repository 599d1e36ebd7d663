/** From rounds to figures and to tables for people. Pure. */
import { type Goal, median, quantile } from "../report.ts";
import { countByKind, type Write } from "./audit.ts";
import { STEPS, stepQuantiles } from "./marks.ts";
import type { Round } from "./round.ts";

/** Goals as they are stated for 300 jobs on two cores. */
const GOAL_OF_KUEUE_WALL = 0.4;
const GOAL_OF_KUEUE_WRITES = 0.3;
const GOAL_OF_PLAIN_WALL = 1;

/** What the rounds of one contender say together; the keys begin with its name. */
export function figuresOf(name: string, rounds: readonly Round[], jobs: number): Record<string, number> {
  const walls = rounds.map(({ wallSeconds }) => wallSeconds);
  const each = (value: (round: Round) => number) => median(rounds.map(value));
  const figures: Record<string, number> = {
    wall_seconds: median(walls),
    wall_spread_seconds: Math.max(...walls) - Math.min(...walls),
    writes_per_job: each(({ writes }) => writes.length) / jobs,
    objects_per_job: each(({ writes }) => objects(writes)) / jobs,
    cluster_cpu_seconds: each((round) => round.clusterCpuSeconds),
    ...(rounds.every(({ idleMs }) => idleMs.length > 0) && {
      gpu_idle_p50_seconds: each(({ idleMs }) => quantile(idleMs, 0.5)) / 1000,
    }),
    rounds: rounds.length,
  };
  if (rounds.some(({ managerUser }) => managerUser !== undefined)) {
    figures["manager_writes_per_job"] = each((round) => managerWrites(round).length) / jobs;
    figures["manager_cpu_seconds"] = each((round) => round.managerCpuSeconds);
    figures["manager_rss_mb"] = each((round) => round.managerPeakMegabytes);
  }
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [`${name}_${key}`, value]));
}

/** Where two contenders were measured, one against the other. */
export function ratiosOf(figures: Readonly<Record<string, number>>): Goal[] {
  const ratio = (key: string, other: string): number | undefined => {
    const [ours, theirs] = [figures[`opal_${key}`], figures[`${other}_${key}`]];
    return ours === undefined || theirs === undefined ? undefined : ours / theirs;
  };
  const goals = [
    { name: "ratio_kueue_wall", value: ratio("wall_seconds", "kueue"), goal: GOAL_OF_KUEUE_WALL },
    {
      name: "ratio_kueue_writes",
      value: ratio("manager_writes_per_job", "kueue"),
      goal: GOAL_OF_KUEUE_WRITES,
    },
    { name: "ratio_plain_wall", value: ratio("wall_seconds", "plain"), goal: GOAL_OF_PLAIN_WALL },
  ];
  return goals.flatMap(({ value, ...rest }) =>
    value === undefined ? [] : [{ ...rest, value, better: "lower" as const }],
  );
}

/** How the one large round on fake nodes went. */
export function largeFigures(round: Round, jobs: number): Record<string, number> {
  const lag = round.steps.flatMap((steps) => steps.ended_to_told ?? []).map((ms) => ms / 1000);
  return {
    large_jobs_per_second: jobs / round.wallSeconds,
    large_wall_seconds: round.wallSeconds,
    large_objects_per_job: objects(round.writes) / jobs,
    large_writes_per_job: round.writes.length / jobs,
    large_manager_writes_per_job: managerWrites(round).length / jobs,
    large_told_p50_seconds: quantile(lag, 0.5),
    large_told_p99_seconds: quantile(lag, 0.99),
    large_manager_cpu_seconds: round.managerCpuSeconds,
    large_manager_rss_mb: round.managerPeakMegabytes,
    large_cluster_cpu_seconds: round.clusterCpuSeconds,
    large_jobs: jobs,
  };
}

function managerWrites({ writes, managerUser }: Round): Write[] {
  return writes.filter(({ user }) => user === managerUser);
}

/** Events are objects too, but gone after an hour; subresources are none. */
function objects(writes: readonly Write[]): number {
  return writes.filter(({ verb, resource }) => verb === "create" && !/\/|^events$/.test(resource)).length;
}

/** Two tables: writes by kind, the manager's and everybody's; and a job's way in steps. */
export function describeRound(name: string, round: Round, jobs: number): string[] {
  const per = (count: number) => (count / jobs).toFixed(2).padStart(7);
  const mine = new Map(countByKind(managerWrites(round)));
  const p50 = stepQuantiles(round.steps, 0.5);
  const p99 = stepQuantiles(round.steps, 0.99);
  const ms = (value: number | undefined) => (value === undefined ? "" : value.toFixed(0)).padStart(7);
  return [
    "",
    `${name}: ${jobs} jobs in ${round.wallSeconds.toFixed(1)} s`,
    "manager    all   writes a job",
    ...countByKind(round.writes)
      .filter(([, count]) => count * 100 >= jobs)
      .map(([kind, count]) => `${per(mine.get(kind) ?? 0)}${per(count)}   ${kind}`),
    "    p50    p99   milliseconds of a job's way",
    ...STEPS.map((step) => `${ms(p50[step])}${ms(p99[step])}   ${step.replaceAll("_", " ")}`),
  ];
}

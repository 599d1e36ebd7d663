import type { Goal } from "../report.ts";
import { quantile } from "../report.ts";
import { type Side, sumOf } from "./side.ts";

/** One of them is missing when only the other one was run. */
export interface Sides {
  readonly opal: Side | undefined;
  readonly kueue: Side | undefined;
}

const WHAT_DIFFERS = [
  "Kueue's manager admits Workloads only: what its Job integration writes (bench:flow measures that) is not in it.",
  "Ours creates each admitted job's child as well (and a ConfigMap where its pods cannot carry their manifests), and writes its verdict.",
  "Neither side has pods: one write says that a job has run. Kueue's runner patches the Workload's status for it, ours",
  "updates the Job's as the Job controller does; the CPU of both is told, because all share the cores.",
];

/** A table for people: what was measured, Kueue's and ours. */
export function compare({ opal, kueue }: Sides, jobs: number): string[] {
  const classes = [...new Set([...(kueue?.waits.keys() ?? []), ...(opal?.waits.keys() ?? [])])].sort();
  const rows: [string, (side: Side) => number][] = [
    ["wall, s", ({ wallSeconds }) => wallSeconds],
    ["jobs a second", ({ wallSeconds }) => jobs / wallSeconds],
    ...classes.flatMap((className): [string, (side: Side) => number][] => [
      [`${className}: to admission p50, s`, ({ waits }) => quantile(waits.get(className) ?? [], 0.5)],
      [`${className}: to admission p99, s`, ({ waits }) => quantile(waits.get(className) ?? [], 0.99)],
    ]),
    ["writes a job", ({ cost }) => sumOf(cost.writes) / jobs],
    ["writes a second", ({ cost, wallSeconds }) => sumOf(cost.writes) / wallSeconds],
    ["CPU, s", ({ cost }) => cost.cpuSeconds],
    ["CPU of API server and etcd, s", ({ others }) => others.serverCpuSeconds],
    ["CPU of the harness, s", ({ others }) => others.harnessCpuSeconds],
    ["peak RSS, MB", ({ cost }) => cost.peakRssMb],
  ];
  const cell = (side: Side | undefined, value: (side: Side) => number) =>
    (side ? String(Number(value(side).toPrecision(4))) : "-").padStart(9);
  return [
    `${"".padEnd(30)}    Kueue     OPAL`,
    ...rows.map(([name, value]) => `${name.padEnd(30)}${cell(kueue, value)}${cell(opal, value)}`),
    ...writeLines("Kueue", kueue, jobs),
    ...writeLines("OPAL", opal, jobs),
    ...WHAT_DIFFERS,
    "",
  ];
}

function writeLines(name: string, side: Side | undefined, jobs: number): string[] {
  if (!side) return [];
  const counts = [...side.cost.writes].sort(([, a], [, b]) => b - a);
  const words = counts.map(([what, count]) => `${what} ${(count / jobs).toFixed(2)}`);
  return [`${name}'s writes a job: ${words.join(", ")}`];
}

export function figuresOf({ opal, kueue }: Sides, jobs: number): Record<string, number> {
  const of = (name: string, side: Side) => ({
    [`${name}_wall_seconds`]: side.wallSeconds,
    [`${name}_jobs_per_second`]: jobs / side.wallSeconds,
    [`${name}_cpu_seconds`]: side.cost.cpuSeconds,
    [`${name}_server_cpu_seconds`]: side.others.serverCpuSeconds,
    [`${name}_harness_cpu_seconds`]: side.others.harnessCpuSeconds,
    [`${name}_rss_mb`]: side.cost.peakRssMb,
    [`${name}_writes_per_job`]: sumOf(side.cost.writes) / jobs,
  });
  return {
    jobs,
    ...(kueue && of("kueue", kueue)),
    ...(opal && of("opal", opal)),
    ...(opal &&
      kueue && {
        ratio_kueue_wall: opal.wallSeconds / kueue.wallSeconds,
        ratio_kueue_rss: opal.cost.peakRssMb / kueue.cost.peakRssMb,
      }),
    ...(opal && { writes_per_job: oneShardWrites(opal) / jobs }),
  };
}

/** Only jobs of several shards have a ConfigMap; all else is written for each job, whatever its size. */
function oneShardWrites({ cost }: Side): number {
  return sumOf(cost.writes) - (cost.writes.get("create configmaps") ?? 0);
}

const GOALS = { ratio_kueue_wall: 0.6, ratio_kueue_rss: 0.5, writes_per_job: 4 };

/** Of the figures that were measured. */
export function goalsOf(figures: Readonly<Record<string, number>>): Goal[] {
  return Object.entries(GOALS).flatMap(([name, goal]) => {
    const value = figures[name];
    return value === undefined ? [] : [{ name, value, goal, better: "lower" as const }];
  });
}

/**
 * npm run whatif -- FILE: plans the last recorded world again with something changed, and shows what that would
 * change for whom.
 *
 * Options: --queue X --gpus +N [--class C]   queue X has N GPUs more (or fewer: -N) of its nominal quota
 *          --pool Y --gpus +N                pool Y has N GPUs more (or fewer)
 *          --without-pool Y                  pool Y is gone
 *          --json                            one line of JSON
 */
import { parseArgs } from "node:util";
import { compareWorlds, changedWorld } from "./counterfactual.ts";
import { fileOf, readDecisions } from "./decisions.ts";

const USAGE =
  "npm run whatif -- FILE (--queue X --gpus +N [--class C] | --pool Y --gpus +N | --without-pool Y) [--json]";
const { values, positionals } = parseArgs({
  options: {
    queue: { type: "string" },
    pool: { type: "string" },
    class: { type: "string" },
    gpus: { type: "string" },
    "without-pool": { type: "string" },
    json: { type: "boolean", default: false },
  },
  allowPositionals: true,
});
const file = fileOf(positionals, USAGE);

let last;
for await (const { decision } of readDecisions(file)) last = decision;
if (!last) {
  console.error(`${file} holds no recorded decision`);
  process.exit(65);
}

const changed = changedWorld(last.world, {
  queue: values.queue,
  pool: values.pool,
  gpuClass: values.class,
  gpus: values.gpus === undefined ? undefined : Number(values.gpus),
  withoutPool: values["without-pool"],
});
if (typeof changed === "string") {
  console.error(`${changed}\nusage: ${USAGE}`);
  process.exit(64);
}
const changes = compareWorlds(last.world, changed, last.nowMs);
if (values.json) console.log(JSON.stringify(changes));
else for (const line of tableOf(changes)) console.log(line);

function tableOf({ jobs, queues }: ReturnType<typeof compareWorlds>): string[] {
  const rows = [
    ...jobs.map(({ job, before, after, startsSooner }) => [job, before, after, startsSooner]),
    ...queues.map(({ queue, before, after }) => [`queue ${queue}`, before, after, ""]),
  ];
  if (rows.length === 0) return ["Nothing would change."];
  const all = [["", "now", "then", "starts"], ...rows];
  const wide = [0, 1, 2, 3].map((column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => cell.padEnd(wide[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}

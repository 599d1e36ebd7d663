import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import {
  createHand,
  createTestNamespace,
  eventually,
  openTestCluster,
  photos,
  type RunningOperator,
  startOperator,
  type TestCluster,
  type TestNamespace,
  verdictText,
} from "../../operator/testing.ts";
import { readDecisions } from "./decisions.ts";

let cluster: TestCluster | undefined;
let namespace: TestNamespace | undefined;
let operator: RunningOperator | undefined;

afterEach(async () => {
  operator?.kill("SIGKILL");
  await operator?.exited;
  await namespace?.remove();
  await cluster?.close();
});

function run(program: string, ...args: string[]): { status: number | null; stdout: string } {
  const file = new URL(program, import.meta.url).pathname;
  return spawnSync(process.execPath, [file, ...args], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** The keys of the jobs that the last decision of the file was about. */
async function lastJobs(file: string): Promise<string[]> {
  let keys: string[] = [];
  for await (const { decision } of readDecisions(file)) keys = decision.world.jobs.map(({ key }) => key);
  return keys;
}

it("what an operator recorded is decided again bit for bit, and can be asked what if", async () => {
  cluster = await openTestCluster();
  namespace = await createTestNamespace(cluster);
  const hand = createHand(namespace);
  const file = join(namespace.folder, "decisions.jsonl");
  operator = startOperator(namespace, {}, ["--record", file]);
  await operator.ready;
  const liveOf = (job: string, count: number) =>
    eventually(`${count} pods of ${job}`, async () => {
      const live = await hand.livePods(job);
      return live.length === count && live;
    });

  // Three of the pool's four GPUs: the second job has to wait for two, until the first one is done.
  await hand.apply("first", { items: photos(12), gpu: { minGpus: 3, maxGpus: 3 } });
  const pods = await liveOf("first", 3);
  await hand.apply("second", { items: photos(8), gpu: { minGpus: 2, maxGpus: 2 } });
  for (const pod of pods) await hand.start(pod);
  await eventually("the second job waits", async () => (await hand.opalJob("second")).status.queue?.position);
  for (const [n, pod] of pods.entries()) {
    await hand.end(pod, EXIT_CODES.done, verdictText({ done: `${4 * n}-${4 * n + 3}` }));
  }
  await liveOf("second", 2);
  // It may have started with what the first one's first pod gave back, plans before that one's end.
  await eventually("a decision without the first job", async () => {
    const keys = await lastJobs(file);
    return keys.length === 1 && keys[0]?.endsWith("/second");
  });
  operator.kill("SIGTERM");
  await operator.exited;

  const replayed = run("replay.ts", file, "--json");
  const lines = replayed.stdout.trim().split("\n");
  const decisions = lines.map((line) => JSON.parse(line) as { isSame: boolean; difference?: unknown });
  expect(decisions.filter(({ isSame }) => !isSame)).toEqual([]);
  expect(replayed.status).toBe(0);
  expect(decisions.length).toBeGreaterThanOrEqual(3);

  const gone = run("whatif.ts", file, "--without-pool", namespace.name, "--json");
  expect(JSON.parse(gone.stdout)).toMatchObject({
    jobs: [{ job: `${namespace.name}/second`, before: `2 GPUs of ${namespace.name}` }],
  });
}, 180_000);

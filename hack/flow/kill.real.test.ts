/**
 * Every process is killed (-9) once in the middle of a job and started again, as Kubernetes would. Whatever the
 * moment: every item ends completed, no stage with a record is computed twice, and no process is left over.
 */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launchOpal, type Opal } from "../launch/launch.ts";
import { createPodProgress } from "../launch/pod-progress.ts";
import type { RoleName } from "../launch/settings.ts";
import { processesNaming } from "./processes-naming.ts";
import { runnerPids } from "./runner-pids.ts";
import { Shop, type JobView } from "./shop.ts";
import { stageCounts } from "./stage-counts.ts";

const photoBytes = async (name: string) =>
  Uint8Array.from(await readFile(fileURLToPath(new URL(`../photos/photos/${name}`, import.meta.url))));

let opal: Opal;
let shop: Shop;

beforeAll(async () => {
  opal = await launchOpal({
    tenants: ["acme"],
    lease: { durationSeconds: 4, renewSeconds: 2, retrySeconds: 0.5 },
    tuning: { OPAL_SWEEP_SECONDS: "1", OPAL_RESYNC_SECONDS: "5" },
  });
  shop = new Shop(opal, "acme");
});
afterAll(() => opal?.stop());

async function submit(): Promise<string> {
  const { jobId } = await shop.submit("transparent", [
    { filename: "bottle.jpg", bytes: await photoBytes("bottle.jpg") },
    { filename: "coffee.jpg", bytes: await photoBytes("coffee.jpg") },
  ]);
  return jobId;
}

async function expectAllDone(jobId: string): Promise<void> {
  const view = await shop.until(jobId, 240);
  expect(view.items.map(({ filename, status, error }) => ({ filename, status, error }))).toEqual([
    { filename: "bottle.jpg", status: "completed", error: null },
    { filename: "coffee.jpg", status: "completed", error: null },
  ]);
  for (const { exports } of view.items) expect(exports).toHaveLength(3);
  const counts = await stageCounts(opal, jobId);
  expect(counts.filter(({ finished }) => finished !== 1)).toEqual([]);
  expect(counts).toHaveLength(2 * 3);
}

describe("killed in the middle of a job", () => {
  const isProcessing = ({ status }: JobView) => status !== "created" && status !== "queued";

  test.each<{ role: RoleName; when: string; after: (jobId: string) => Promise<unknown> }>([
    { role: "relay", when: "as soon as the job is accepted", after: async () => {} },
    { role: "intake", when: "as soon as the job is accepted", after: async () => {} },
    { role: "operator", when: "while the job is processed", after: (id) => shop.until(id, 60, isProcessing) },
    { role: "project", when: "while the job is processed", after: (id) => shop.until(id, 60, isProcessing) },
    { role: "serve", when: "while the job is processed", after: (id) => shop.until(id, 60, isProcessing) },
    {
      role: "export",
      when: "when the first picture is finished",
      after: (id) =>
        shop.until(id, 120, ({ items }) => items.some((item) => typeof item.urls["upscaled"] === "string")),
    },
  ])(
    "$role, $when",
    async ({ role, after }) => {
      const jobId = await submit();
      await after(jobId);
      await opal.kill(role);
      await opal.start(role);
      await expectAllDone(jobId);
    },
    300_000,
  );

  test("the runner, when it has finished a stage", async () => {
    const jobId = await submit();
    const progress = createPodProgress(opal.cluster.kubeconfig("admin"), opal.namespace);
    const hasStarted = async () => (await progress(jobId)).some(({ stages }) => stages.segment > 0);
    const deadline = performance.now() + 60_000;
    while (!(await hasStarted())) {
      if (performance.now() > deadline) throw new Error("no stage was finished within 60 s");
    }
    const pids = await runnerPids(jobId);
    expect(pids.length).toBeGreaterThan(0);
    for (const pid of pids) process.kill(pid, "SIGKILL");
    await expectAllDone(jobId);
  }, 300_000);
});

test("no process is left over", async () => {
  await opal.stop();
  expect(await processesNaming(opal.dir)).toEqual([]);
});

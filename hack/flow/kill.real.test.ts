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
import { processesNaming } from "../processes/processes-naming.ts";
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

async function submit(photos: number): Promise<string> {
  const bytes = await photoBytes("dahlia.jpg");
  const uploads = Array.from({ length: photos }, (_, i) => ({ filename: `${i}.jpg`, bytes }));
  const { jobId } = await shop.submit("transparent", uploads);
  return jobId;
}

async function expectAllDone(jobId: string): Promise<void> {
  const view = await shop.until(jobId, 240);
  const wanted = view.items.map(({ filename }) => ({ filename, status: "completed", error: null }));
  expect(view.items.map(({ filename, status, error }) => ({ filename, status, error }))).toEqual(wanted);
  for (const { exports } of view.items) expect(exports).toHaveLength(3);
  const counts = await stageCounts(opal, jobId);
  expect(counts.filter(({ finished }) => finished !== 1)).toEqual([]);
  expect(counts).toHaveLength(view.items.length * 3);
}

describe("killed in the middle of a job", () => {
  const isProcessing = ({ status }: JobView) => status !== "created" && status !== "queued";

  test.each<{ role: RoleName; when: string; photos: number; after: (jobId: string) => Promise<unknown> }>([
    { role: "relay", photos: 1, when: "as soon as the job is accepted", after: async () => {} },
    { role: "intake", photos: 1, when: "as soon as the job is accepted", after: async () => {} },
    {
      role: "operator",
      photos: 2,
      when: "while the job is processed",
      after: (id) => shop.until(id, 60, isProcessing),
    },
    {
      role: "project",
      photos: 2,
      when: "while the job is processed",
      after: (id) => shop.until(id, 60, isProcessing),
    },
    {
      role: "serve",
      photos: 1,
      when: "while the job is processed",
      after: (id) => shop.until(id, 60, isProcessing),
    },
    {
      role: "export",
      photos: 2,
      when: "when the first picture is finished",
      after: (id) =>
        shop.until(id, 120, ({ items }) => items.some((item) => typeof item.urls["upscaled"] === "string")),
    },
  ])(
    "$role, $when",
    async ({ role, photos, after }) => {
      const jobId = await submit(photos);
      await after(jobId);
      await opal.kill(role);
      await opal.start(role);
      await expectAllDone(jobId);
    },
    300_000,
  );

  test("the runner, when it has finished a stage", async () => {
    const jobId = await submit(2);
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

import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseRanges } from "#crds/item-ranges.ts";
import { manifestKey, ShardVerdict } from "#crds/runner-report.ts";

const SHARD = 3;
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "flow-runner-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function runShard(manifest: object): ShardVerdict {
  writeFileSync(join(folder, manifestKey(SHARD)), JSON.stringify(manifest));
  const log = join(folder, "termination-log");
  const env = {
    OPAL_MANIFEST_DIR: folder,
    JOB_COMPLETION_INDEX: String(SHARD),
    OPAL_TERMINATION_LOG: log,
  };
  const { status, stderr } = spawnSync("/bin/sh", [join(import.meta.dirname, "runner.sh")], { env });
  expect(status, stderr.toString()).toBe(0);
  return ShardVerdict.parse(JSON.parse(readFileSync(log, "utf8")));
}

test("gives each item of its shard a good verdict", () => {
  const items = [7, 8, 12].map((index) => ({ id: `photo-${index}`, source: "raw/a.jpg", index }));
  expect(parseRanges(runShard({ v: 1, job: "a", items }).done)).toEqual([7, 8, 12]);
});

test("names items by slot where jobs share the pod", () => {
  const parts = ["a", "b"].map((job, slot) => ({ job, items: [{ id: '"index":9', index: 0, slot }] }));
  expect(parseRanges(runShard({ v: 1, parts }).done)).toEqual([0, 1]);
});

test("ends well without a manifest", () => {
  const { status } = spawnSync("/bin/sh", [join(import.meta.dirname, "runner.sh")], { env: {} });
  expect(status).toBe(0);
});

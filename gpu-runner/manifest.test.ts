import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it } from "vitest";
import { BadSettings } from "./config.ts";
import { readManifest } from "./manifest.ts";
import { aManifest } from "./testing.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "opal-manifest-"));
});
afterEach(() => rm(dir, { recursive: true }));

const write = (file: string, content: object) => writeFile(join(dir, file), JSON.stringify(content));
const anItem = (n: number) => ({ id: `item-${n}`, source: `raw/acme/${n}.jpg` });
const own = { ...aManifest({ items: [anItem(0)] }), shard: 3 };

it("is the shard's own file, as a ConfigMap has one for each shard", async () => {
  await write("3.json", own);
  await write("2.json", { ...own, shard: 2 });
  expect(await readManifest(dir, 3)).toEqual([own]);
});

it("is the shard's part of the file of all shards, where pods carry that", async () => {
  const { shard: _, items: first, ...common } = aManifest({ items: [anItem(0)] });
  const second = [{ ...anItem(1), index: 1 }];
  await write("shards.json", { ...common, shards: [{ items: first }, { items: second }] });
  expect(await readManifest(dir, 1)).toEqual([{ ...common, shard: 1, items: second }]);
});

it("cannot be used when neither file is there, and says which", async () => {
  const reading = readManifest(dir, 3);
  await expect(reading).rejects.toThrow(BadSettings);
  await expect(reading).rejects.toThrow("3.json nor shards.json");
});

it("cannot be used when it has no such shard, or is none", async () => {
  const { shard: _, items, ...common } = own;
  await write("shards.json", { ...common, shards: [{ items }] });
  await expect(readManifest(dir, 1)).rejects.toThrow("none of the number 1");
  await write("3.json", {});
  await expect(readManifest(dir, 3)).rejects.toThrow(BadSettings);
});

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { aWheel } from "./testing-wheel.ts";
import { readWheel } from "./read-wheel.ts";

let dir: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "opal-wheel-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

const FILES = {
  "model/net.param": Buffer.from("a text that is worth packing, ".repeat(4000)),
  "model/": Buffer.alloc(0),
  "model/empty.txt": Buffer.alloc(0),
  "model/net.bin": Buffer.from(Uint8Array.from({ length: 5000 }, (_, i) => (i * i) % 251)),
};

async function contents(wheel: Buffer): Promise<Record<string, Buffer>> {
  const path = join(dir, "a.whl");
  await writeFile(path, wheel);
  const read: Record<string, Buffer> = {};
  for await (const file of readWheel(path)) {
    const chunks: Buffer[] = [];
    for await (const chunk of file.content) chunks.push(chunk);
    read[file.path] = Buffer.concat(chunks);
    expect(file.bytes).toBe(read[file.path]?.length);
  }
  return read;
}

describe("readWheel", () => {
  it.each(["deflated", "stored"] as const)("gives the files of a wheel whose files are %s", async (how) => {
    const read = await contents(aWheel(FILES, { how }));
    const { "model/": _, ...files } = FILES;
    expect(read).toEqual(files);
  });

  it("finds the directory behind a comment", async () => {
    const read = await contents(aWheel(FILES, { how: "stored", comment: "made on a Tuesday" }));
    expect(Object.keys(read)).toEqual(["model/net.param", "model/empty.txt", "model/net.bin"]);
  });

  it("skips what is not read", async () => {
    const path = join(dir, "a.whl");
    await writeFile(path, aWheel(FILES, { how: "deflated" }));
    const paths: string[] = [];
    for await (const file of readWheel(path)) paths.push(file.path);
    expect(paths).toHaveLength(3);
  });

  it("refuses what is cut off, damaged or no wheel", async () => {
    const wheel = aWheel(FILES, { how: "deflated" });
    await expect(contents(wheel.subarray(0, wheel.length / 2))).rejects.toThrow("it has no directory");
    await expect(contents(Buffer.from("hello"))).rejects.toThrow("it has no directory");
    const damaged = Buffer.from(wheel);
    damaged.fill(0, 0, 4);
    await expect(contents(damaged)).rejects.toThrow('damaged at "model/net.param"');
  });
});

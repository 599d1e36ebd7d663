import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { withLock } from "./lock.ts";

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "opal-lock-"))));
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Another process that takes the lock, says so, and keeps it until it is killed. */
function anOwner(file: string) {
  const program = `
    import { withLock } from ${JSON.stringify(fileURLToPath(new URL("lock.ts", import.meta.url)))};
    await withLock(${JSON.stringify(file)}, () => {
      console.log("taken");
      return new Promise((resolve) => setTimeout(resolve, 60_000));
    });`;
  return spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

test("one process at a time, and the one who waits is told for whom", async () => {
  const file = join(folder, "one");
  const owner = anOwner(file);
  await once(owner.stdout, "data");
  const waitedFor: (number | undefined)[] = [];
  const work = withLock(file, () => Promise.resolve("done"), {
    onWait: (pid) => {
      waitedFor.push(pid);
      owner.kill("SIGKILL");
    },
  });
  await expect(work).resolves.toBe("done");
  expect(waitedFor).toEqual([owner.pid]);
});

test("calls of one process exclude each other too", async () => {
  const file = join(folder, "two");
  let inside = 0;
  let most = 0;
  const work = async () => {
    most = Math.max(most, ++inside);
    await new Promise((resolve) => setImmediate(resolve));
    inside--;
  };
  await Promise.all(Array.from({ length: 5 }, () => withLock(file, work)));
  expect(most).toBe(1);
});

test("a failure of the work frees the lock", async () => {
  const file = join(folder, "three");
  await expect(withLock(file, () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  await expect(withLock(file, () => Promise.resolve(1))).resolves.toBe(1);
});

test("a wait can be given up", async () => {
  const file = join(folder, "four");
  const given = new AbortController();
  await withLock(file, async () => {
    const second = withLock(file, () => Promise.resolve(), {
      signal: given.signal,
      onWait: () => given.abort(),
    });
    await expect(second).rejects.toThrow();
  });
});

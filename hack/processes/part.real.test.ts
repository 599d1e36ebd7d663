import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { FIRST_DESCRIPTOR, runProgram, spawnPart } from "./part.ts";
import { readPidFile, stopLeftovers, writePidFile } from "./pid-file.ts";
import { identify, isRunning } from "./process-identity.ts";
import { startReaper, type Reaper } from "./reaper.ts";
import { aScript, eventually } from "./testing.ts";
import { makeFolder } from "./testing-folder.ts";

let reaper: Reaper;
beforeAll(() => {
  reaper = startReaper({ env: process.env });
});
afterAll(() => reaper.close());

describe("spawnPart", () => {
  test("is ready with what the line said, logs both streams, stops on the signal", async () => {
    const folder = makeFolder();
    const script =
      "echo warming >&2; trap 'echo bye; exit 7' TERM; echo port=81; while :; do sleep 0.05; done";
    const part = await spawnPart(
      {
        ...aScript(folder, "web", script),
        readiness: { by: "line", read: (line) => /^port=(\d+)$/.exec(line)?.[1], deadlineSeconds: 10 },
      },
      reaper,
    );
    expect(part.ready).toBe("81");
    expect(existsSync(join(folder, "web.pid"))).toBe(true);
    expect(await part.stop()).toEqual({ code: 7, signal: null });
    expect(readFileSync(join(folder, "web.log"), "utf8")).toBe("warming\nport=81\nbye\n");
    await eventually("the pid file is removed", () => !existsSync(join(folder, "web.pid")));
  });

  test("stopping twice, and stopping what has ended, is harmless", async () => {
    const part = await spawnPart(aScript(makeFolder(), "brief", "echo ready"), reaper);
    expect(await part.exited).toEqual({ code: 0, signal: null });
    expect(await Promise.all([part.stop(), part.stop()])).toEqual([
      { code: 0, signal: null },
      { code: 0, signal: null },
    ]);
  });

  test("kills what does not heed the stop signal when its grace is over, with its children", async () => {
    const folder = makeFolder();
    const script = "trap '' TERM; sleep 300 & echo $! > child; echo ready; wait";
    const part = await spawnPart({ ...aScript(folder, "deaf", script), graceSeconds: 0.2 }, reaper);
    const child = Number(readFileSync(join(folder, "child"), "utf8"));
    expect(await part.stop()).toEqual({ code: null, signal: "SIGKILL" });
    await eventually("the child ends", () => identify(child) === undefined);
  });

  test("kills what a program left behind in its group when it ended by itself", async () => {
    const folder = makeFolder();
    const part = await spawnPart(
      aScript(folder, "careless", "sleep 300 & echo $! > child; echo ready"),
      reaper,
    );
    await part.exited;
    const child = Number(readFileSync(join(folder, "child"), "utf8"));
    await eventually("the child ends", () => identify(child) === undefined);
  });

  test("waits for a probe, and says why it never held", async () => {
    const folder = makeFolder();
    const readiness = { by: "probe", probe: () => connect(folder), deadlineSeconds: 0.3 } as const;
    await expect(spawnPart({ ...aScript(folder, "mute", "sleep 300"), readiness }, reaper)).rejects.toThrow(
      /^mute was not ready within 0.3 s: .*nobody listens[^]*it wrote nothing[^]*mute\.log/,
    );
    const server = createServer().listen(join(folder, "socket"));
    const part = await spawnPart({ ...aScript(folder, "mute", "sleep 300"), readiness }, reaper);
    expect(part.ready).toBe("connected");
    await part.kill();
    server.close();
  });

  test("an early end is told at once, with the end of the log", async () => {
    const script = "echo cannot open the shop; exit 3";
    await expect(spawnPart(aScript(makeFolder(), "shop", script), reaper)).rejects.toThrow(
      /^shop ended with exit code 3\ncannot open the shop\n\(.*shop\.log\)$/,
    );
  });

  test("a program that does not exist is told", async () => {
    const options = { ...aScript(makeFolder(), "ghost", ""), command: "/no/such/program" };
    await expect(spawnPart(options, reaper)).rejects.toThrow(/^ghost ended with exit code 127[^]*not found/);
  });

  test("a folder that does not exist is told", async () => {
    const options = { ...aScript(makeFolder(), "lost", ""), cwd: "/no/such/folder" };
    await expect(spawnPart(options, reaper)).rejects.toThrow(/^lost .*ENOENT/);
  });

  test("gives the program open files, whatever it may reach by itself", async () => {
    const folder = makeFolder();
    const file = join(folder, "secret");
    writeFileSync(file, "swordfish\n");
    const descriptor = openSync(file, "r");
    const script = `cat <&${FIRST_DESCRIPTOR}; echo ready`;
    const part = await spawnPart({ ...aScript(folder, "reader", script), descriptors: [descriptor] }, reaper);
    closeSync(descriptor);
    await part.exited;
    expect(readFileSync(join(folder, "reader.log"), "utf8")).toBe("swordfish\nready\n");
  });

  test("keeps the log of the life before", async () => {
    const folder = makeFolder();
    for (const life of [1, 2, 3]) {
      const part = await spawnPart(aScript(folder, "cat", `echo ready; echo life ${life}`), reaper);
      await part.exited;
    }
    expect(readFileSync(join(folder, "cat.log"), "utf8")).toContain("life 3");
    expect(readFileSync(join(folder, "cat.log.previous"), "utf8")).toContain("life 2");
  });
});

describe("runProgram", () => {
  test("waits for the end, and tells a bad one with the end of the log", async () => {
    const folder = makeFolder();
    await runProgram(aScript(folder, "good", "echo done"), reaper);
    expect(readFileSync(join(folder, "good.log"), "utf8")).toBe("done\n");
    await expect(runProgram(aScript(folder, "bad", "echo no room; exit 4"), reaper)).rejects.toThrow(
      /^bad ended with exit code 4\nno room\n/,
    );
  });
});

describe("leftovers of an earlier life", () => {
  test("are stopped; a process that has only the same number is not touched", async () => {
    const folder = makeFolder();
    const script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    const mine = await spawnPart(aScript(folder, "mine", script), reaper);
    const other = await spawnPart({ ...aScript(folder, "other", script), pidFolder: makeFolder() }, reaper);
    const manners = { stopSignal: "SIGTERM", graceSeconds: 5 } as const;
    writePidFile(folder, { name: "stranger", pid: other.pid, startedAt: "before", ...manners });
    writeFileSync(join(folder, "torn.pid"), '{"name":"to');

    expect(await stopLeftovers(folder)).toEqual(["mine"]);
    expect(await mine.exited).toEqual({ code: 9, signal: null });
    const identity = identify(other.pid);
    expect(identity !== undefined && isRunning(identity)).toBe(true);
    expect(await stopLeftovers(folder)).toEqual([]);
    await other.stop();
  });

  test("of the same name are stopped by the next start", async () => {
    const folder = makeFolder();
    const script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done";
    const before = await spawnPart(aScript(folder, "same", script), reaper);
    const after = await spawnPart(aScript(folder, "same", script), reaper);
    expect(await before.exited).toEqual({ code: 9, signal: null });
    expect(readPidFile(join(folder, "same.pid"))?.pid).toBe(after.pid);
    await after.stop();
  });
});

async function connect(folder: string): Promise<string> {
  if (!existsSync(join(folder, "socket"))) throw new Error("nobody listens");
  return Promise.resolve("connected");
}

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { identify } from "./process-identity.ts";
import { spawnPart } from "./part.ts";
import { startReaper } from "./reaper.ts";
import { aScript, eventually, processesWith } from "./testing.ts";
import { makeFolder } from "./testing-folder.ts";

const LAUNCHER = fileURLToPath(new URL("fixture-launcher.ts", import.meta.url));

interface Script {
  readonly name: string;
  readonly script: string;
}

function launch(folder: string, scripts: readonly Script[], mark: string, folderToRemove?: string) {
  const args = [LAUNCHER, folder, JSON.stringify(scripts)];
  if (folderToRemove !== undefined) args.push(folderToRemove);
  return spawn(process.execPath, args, {
    env: { ...process.env, OPAL_TEST_MARK: mark },
    stdio: ["ignore", "pipe", "inherit"],
  });
}

/** The lines that the launcher prints. It is an error to ask for one that never comes. */
function linesOf(launcher: ReturnType<typeof launch>): () => Promise<string> {
  const lines = createInterface({ input: launcher.stdout })[Symbol.asyncIterator]();
  return async () => {
    const line = await lines.next();
    if (line.done === true) throw new Error("the launcher ended early");
    return line.value;
  };
}

const noteStop = (name: string): Script => ({
  name,
  script: `trap 'echo ${name} >> stopped; exit' TERM; echo ready; while :; do sleep 0.05; done`,
});

describe("when the launcher is killed with SIGKILL", () => {
  test("its parts are stopped in reverse order, deaf ones and grandchildren killed, its folder removed", async () => {
    const folder = makeFolder();
    const ephemeral = makeFolder();
    const scripts = [
      noteStop("first"),
      { name: "deaf", script: "trap '' TERM; echo ready; while :; do sleep 0.05; done" },
      { name: "parent", script: "sleep 300 & echo $! > grandchild; echo ready; wait" },
      noteStop("last"),
    ];
    const launcher = launch(folder, scripts, folder, ephemeral);
    const pids: Record<string, number> = JSON.parse(await linesOf(launcher)());
    const grandchild = Number(readFileSync(join(folder, "grandchild"), "utf8"));

    launcher.kill("SIGKILL");
    await eventually("everything ends", () => processesWith(`OPAL_TEST_MARK=${folder}`).length === 0);
    // A process that is ending has no environment any more, and may not be gone yet.
    const known = [...Object.values(pids), grandchild];
    await eventually("nothing is left of it", () => known.every((pid) => identify(pid) === undefined));
    expect(readFileSync(join(folder, "stopped"), "utf8")).toBe("last\nfirst\n");
    expect(existsSync(ephemeral)).toBe(false);
    expect(existsSync(folder)).toBe(true);
  });

  test("nothing is left over, whatever the launcher was doing at that moment", async () => {
    const folder = makeFolder();
    const mark = `OPAL_TEST_MARK=${folder}`;
    const scripts = Array.from({ length: 40 }, (_, index) => ({
      name: `part-${index}`,
      script: "echo ready; exec sleep 300",
    }));
    // Counted with the launcher and its reaper; the launcher goes on starting parts all the time.
    for (const processes of [1, 2, 3, 3, 4, 5, 7, 10, 14]) {
      const launcher = launch(folder, scripts, folder);
      await eventually(`${processes} run`, () => processesWith(mark).length >= processes);
      launcher.kill("SIGKILL");
      await once(launcher, "exit");
      await eventually("everything ends", () => processesWith(mark).length === 0);
    }
  });
});

describe("when the launcher goes on", () => {
  test("a reaper that was killed is replaced by one that knows everything", async () => {
    const folder = makeFolder();
    const mark = `OPAL_TEST_MARK=${folder}`;
    const launcher = launch(folder, [noteStop("first"), noteStop("last")], folder);
    const nextLine = linesOf(launcher);
    const pids: Record<string, number> = JSON.parse(await nextLine());
    process.kill(pids["reaper"] ?? 0, "SIGKILL");
    expect(await nextLine()).toMatch(/^\d+$/);
    launcher.kill("SIGKILL");
    await eventually("everything ends", () => processesWith(mark).length === 0);
    expect(readFileSync(join(folder, "stopped"), "utf8")).toBe("last\nfirst\n");
  });

  test("closing the reaper stops what is watched and waits for it", async () => {
    const folder = makeFolder();
    const reaper = startReaper({ env: process.env });
    const part = await spawnPart(aScript(folder, "first", noteStop("first").script), reaper);
    reaper.removeFolder(folder);
    await reaper.close();
    expect(identify(part.pid)).toBeUndefined();
    expect(existsSync(folder)).toBe(false);
  });
});

/** The commands as people type them. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "./testing.ts";
import { processesNaming } from "../processes/processes-naming.ts";

const CLI = fileURLToPath(new URL("cli.ts", import.meta.url));

let folder: string;
beforeAll(async () => void (folder = await mkdtemp(join(tmpdir(), "opal-cli-"))));
afterAll(async () => {
  await run("down", "--dir", "kept");
  await rm(folder, { recursive: true, force: true });
});

function start(...args: string[]) {
  const { KUBECONFIG: _, ...env } = process.env;
  return spawn(process.execPath, [CLI, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...env, OPAL_INVOKED_FROM: folder },
  });
}

async function run(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = start(...args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

test("a detached cluster stays until it is told to stop, and keeps its objects", async () => {
  const up = await run("up", "--dir", "kept", "--detach", "--json");
  expect(JSON.parse(up.stdout)).toMatchObject({ ready: true, dir: join(folder, "kept") });
  expect((await run("up", "--dir", "kept", "--detach")).stdout).toContain("runs already");
  const kubectl = (...args: string[]) => run("kubectl", "--dir", "kept", ...args);
  expect((await kubectl("create", "configmap", "kept")).code).toBe(0);
  const status = JSON.parse((await run("status", "--dir", "kept", "--json")).stdout) as unknown;
  expect(status).toMatchObject({ components: { etcd: expect.any(Number) } });

  expect((await run("down", "--dir", "kept")).stdout).toBe("stopped\n");
  expect(await processesNaming(join(folder, "kept"))).toEqual([]);
  expect((await run("status", "--dir", "kept")).code).toBe(1);
  expect((await kubectl("get", "pods")).stderr).toContain("cluster -- up --detach");

  await run("up", "--dir", "kept", "--detach");
  expect((await kubectl("get", "configmap", "kept", "-o", "name")).stdout).toBe("configmap/kept\n");
  await run("down", "--dir", "kept", "--delete");
  expect((await run("status", "--dir", "kept", "--json")).stdout).toContain('"ready":false');
});

test("one in the foreground ends with Ctrl-C and leaves nothing", async () => {
  const child = start("up", "--dir", "foreground", "--gpus", "2");
  await eventually("it is up", async () => {
    const [line] = (await once(createInterface(child.stdout), "line")) as [string];
    return line.includes("is up");
  });
  child.kill("SIGINT");
  expect(await once(child, "close")).toEqual([0, null]);
  expect(await processesNaming(join(folder, "foreground"))).toEqual([]);
});

test.each([
  { args: ["up", "--name", "NO"], says: "use lower-case letters" },
  { args: ["up", "--gpus", "many"], says: "--gpus is a number" },
  { args: ["node", "lose"], says: "needs a node's name" },
  { args: ["node", "list", "--dir", "nowhere"], says: "no cluster is running" },
  { args: ["destroy"], says: "usage: npm run cluster" },
])("$args is refused", async ({ args, says }) => {
  const { code, stderr } = await run(...args);
  expect(code).not.toBe(0);
  expect(stderr).toContain(says);
});

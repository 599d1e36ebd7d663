import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { loadClusterAccess } from "./cluster-access.ts";

/** Long for a program that answers, short for a test that waits for one that does not. */
const PATIENCE_MS = 20_000;

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "opal-access-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A kubeconfig whose user asks a program for the token. */
async function kubeconfigWith(name: string, program: string): Promise<string> {
  const path = join(folder, name);
  const exec = {
    apiVersion: "client.authentication.k8s.io/v1",
    command: process.execPath,
    args: ["-e", program],
    interactiveMode: "Never",
  };
  const config = {
    apiVersion: "v1",
    kind: "Config",
    "current-context": "here",
    contexts: [{ name: "here", context: { cluster: "here", user: "somebody" } }],
    clusters: [{ name: "here", cluster: { server: "https://127.0.0.1:6443" } }],
    users: [{ name: "somebody", user: { exec } }],
  };
  await writeFile(path, JSON.stringify(config));
  return path;
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

const writesPid = (file: string) =>
  `require("fs").writeFileSync(${JSON.stringify(file)}, String(process.pid));`;

describe("a kubeconfig's plug-in", () => {
  it("gives the token, once for all who ask meanwhile", async () => {
    const runs = join(folder, "runs");
    const kubeconfig = await kubeconfigWith(
      "quick",
      `require("fs").appendFileSync(${JSON.stringify(runs)}, "x");
       console.log(JSON.stringify({ status: { token: "t0k3n", expirationTimestamp: "2020-01-01T00:00:00Z" } }))`,
    );
    const access = await loadClusterAccess({ kubeconfig, signInTimeoutMs: PATIENCE_MS });
    const asked = await Promise.all([access.authorization(), access.authorization()]);
    expect(asked).toEqual(["Bearer t0k3n", "Bearer t0k3n"]);
    expect(await readFile(runs, "utf8")).toBe("xx");
  });

  it("that does not answer is stopped, and the error says who and how long", async () => {
    const file = join(folder, "pid");
    const kubeconfig = await kubeconfigWith("silent", `${writesPid(file)} setInterval(() => {}, 1000)`);
    const loading = loadClusterAccess({ kubeconfig, signInTimeoutMs: 1500 });
    await expect(loading).rejects.toThrow(
      /user "somebody": its plug-in or sign-in gives no credential: it does not answer within 1500 ms/,
    );
    const pid = Number(await readFile(file, "utf8"));
    await vi.waitFor(() => expect(isRunning(pid)).toBe(false), { timeout: PATIENCE_MS });
  });

  it("that fails is quoted", async () => {
    const kubeconfig = await kubeconfigWith("broken", `console.error("not signed in"); process.exit(1)`);
    await expect(loadClusterAccess({ kubeconfig, signInTimeoutMs: PATIENCE_MS })).rejects.toThrow(
      /gives no credential: not signed in/,
    );
  });
});

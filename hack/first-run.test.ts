import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const firstRun = fileURLToPath(new URL("first-run.mjs", import.meta.url));

let clone: string;

/** A clone with a lockfile, an "npm" that says what it was asked for, and a program to run. */
beforeAll(async () => {
  clone = await mkdtemp(join(tmpdir(), "opal-first-run-"));
  for (const folder of ["hack", "bin", "node_modules/.bin"])
    await mkdir(join(clone, folder), { recursive: true });
  await cp(firstRun, join(clone, "hack/first-run.mjs"));
  await writeFile(join(clone, "package-lock.json"), "{}");
  await writeFile(
    join(clone, "hack/program.mjs"),
    "console.log(process.argv.slice(2).join()); process.exit(3);",
  );
  await writeFile(join(clone, "bin/npm"), '#!/bin/sh\necho "npm $1" >&2\nexit "${NPM_FAILS:-0}"\n', {
    mode: 0o755,
  });
  await symlink(process.execPath, join(clone, "node_modules/.bin/node"));
});
afterAll(() => rm(clone, { recursive: true, force: true }));

interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

function run({ nodeOptions = [], env = {} }: { nodeOptions?: string[]; env?: Record<string, string> } = {}) {
  return new Promise<Run>((resolve) => {
    execFile(
      process.execPath,
      [...nodeOptions, join(clone, "hack/first-run.mjs"), "hack/program.mjs", "a", "b"],
      { env: { PATH: `${join(clone, "bin")}:${process.env["PATH"]}`, ...env } },
      (error, stdout, stderr) => resolve({ code: error ? Number(error.code) : 0, stdout, stderr }),
    );
  });
}

test("a Node that is too old gets one sentence with the remedy", async () => {
  const old = `data:text/javascript,Object.defineProperty(process.versions,"node",{value:"18.20.0"})`;
  const { code, stderr } = await run({ nodeOptions: ["--import", old] });
  expect(code).toBe(78);
  expect(stderr.trim().split("\n")).toHaveLength(1);
  expect(stderr).toMatch(/needs Node 20 or newer.*18\.20\.0.*install it/);
});

test("a failed installation says so, and is tried again", async () => {
  const { code, stderr } = await run({ env: { NPM_FAILS: "1" } });
  expect(code).toBe(1);
  expect(stderr).toContain('"npm ci" failed');
});

test("installs once, then never again, and passes arguments and exit code on", async () => {
  const first = await run();
  expect(first).toMatchObject({ code: 3, stdout: "a,b\n" });
  expect(first.stderr).toContain("npm ci");
  expect(await run()).toEqual({ code: 3, stdout: "a,b\n", stderr: "" });
});

test("a changed lockfile is installed", async () => {
  await writeFile(join(clone, "package-lock.json"), '{"lockfileVersion":3}');
  expect((await run()).stderr).toContain("npm ci");
});

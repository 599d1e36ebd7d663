/** How the binary gets into the cache folder. Go's own cache is warm when these run, so a build takes seconds. */
import { spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ensureDevCluster } from "./build.ts";
import { BUILD_FLAGS, runGo, SOURCES } from "./go.ts";
import { runKubectl } from "./kubectl.ts";

let cache: string;
beforeAll(async () => {
  cache = await mkdtemp(join(tmpdir(), "opal-build-"));
  await mkdir(join(cache, "dev-cluster/cut-off.unfinished"), { recursive: true });
});
afterAll(() => rm(cache, { recursive: true, force: true }));

/** Another process that wants the binary; prints its path, or why there is none. */
function another(env: NodeJS.ProcessEnv = {}): Promise<string> {
  const build = fileURLToPath(new URL("build.ts", import.meta.url));
  const program = `
    import { ensureDevCluster } from ${JSON.stringify(build)};
    await ensureDevCluster({ cache: ${JSON.stringify(cache)} }).then(
      ({ binary }) => console.log(binary),
      (error) => console.log(error.message));`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, ...env },
  });
  return text(child.stdout).then((output) => output.trim());
}

/** What Go prints; fails with that when Go fails. */
async function linesOf(args: readonly string[]): Promise<string[]> {
  const lines: string[] = [];
  const { code } = await runGo(args, (line) => lines.push(line));
  if (code !== 0) throw new Error(`go ${args.join(" ")} ended with ${code}:\n${lines.join("\n")}`);
  return lines;
}

test("two processes at once build one binary, which works; what was cut off before is swept up", async () => {
  const progress: string[] = [];
  const [here, there] = await Promise.all([
    ensureDevCluster({ cache, onProgress: (text) => progress.push(text) }),
    another(),
  ]);
  expect(there).toBe(here.binary);
  expect(progress).not.toEqual([]);
  const left = await readdir(join(cache, "dev-cluster"));
  expect(left.filter((name) => !name.startsWith("build.lock"))).toEqual([
    dirname(here.binary).split("/").pop(),
  ]);
  const { stdout } = await runKubectl(here.kubectl, ["version", "--client"], { kubeconfig: "", dir: cache });
  expect(stdout).toContain("Client Version: v1.35.4");
}, 600_000);

test("what is there is taken without a word", async () => {
  const progress: string[] = [];
  await ensureDevCluster({ cache, onProgress: (text) => progress.push(text) });
  expect(progress).toEqual([]);
});

test("without Go it says what to install", async () => {
  expect(await another({ PATH: dirname(process.execPath) })).toMatch(/none on the PATH: install Go 1\.\d+/);
});

test("with a Go that is too old it says which one is needed", async () => {
  const old = join(cache, "old-go");
  await mkdir(old);
  const script =
    "#!/bin/sh\necho 'go: go.mod requires go >= 1.25.0 (running go 1.19; GOTOOLCHAIN=local)' >&2\nexit 1\n";
  await writeFile(join(old, "go"), script, { mode: 0o755 });
  expect(await another({ PATH: `${old}:/usr/bin:/bin` })).toMatch(
    /needs Go 1\.25\.0 or newer: .*running go 1\.19/,
  );
});

test("the Go tests pass, and gofmt has nothing to say", async () => {
  // vet would read all of Kubernetes first, for minutes.
  await linesOf(["test", "-vet=off", ...BUILD_FLAGS, "./..."]);
  const [goRoot = ""] = await linesOf(["env", "GOROOT"]);
  const gofmt = spawn(join(goRoot, "bin/gofmt"), ["-l", SOURCES], { stdio: ["ignore", "pipe", "inherit"] });
  expect(await text(gofmt.stdout)).toBe("");
}, 600_000);

/**
 * The whole test suite: sets up what is missing, runs vitest, and ends with one line that counts.
 * `--fast` runs the pure tests alone; anything else goes to vitest (file names, -t PATTERN).
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureReady } from "./setup/setup.ts";

const fast = process.argv.includes("--fast");
const filters = process.argv.slice(2).filter((argument) => argument !== "--fast");

if (!fast) await ensureReady();

const folder = await mkdtemp(join(tmpdir(), "opal-test-"));
const results = join(folder, "results.json");
const vitest = spawn(
  process.execPath,
  [
    join(import.meta.dirname, "../node_modules/vitest/vitest.mjs"),
    "run",
    ...(fast ? ["--project", "fast"] : []),
    "--reporter=default",
    "--reporter=json",
    `--outputFile.json=${results}`,
    ...filters,
  ],
  { stdio: "inherit", cwd: join(import.meta.dirname, "..") },
);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => vitest.kill(signal));
const code = await new Promise<number>((resolve) => vitest.on("exit", (exit) => resolve(exit ?? 1)));

const text = await readFile(results, "utf8").catch(() => undefined);
await rm(folder, { recursive: true, force: true });
const { passed, failed } = count(text);
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = code === 0 && failed === 0 && passed > 0 ? 0 : 1;

/** A run that broke before it could report, or a file that did not load, counts as a failure. */
function count(json: string | undefined): { passed: number; failed: number } {
  if (!json) return { passed: 0, failed: 1 };
  const report = JSON.parse(json) as {
    numPassedTests: number;
    numFailedTests: number;
    success: boolean;
  };
  const failures = report.numFailedTests + (report.success || report.numFailedTests > 0 ? 0 : 1);
  return { passed: report.numPassedTests, failed: failures };
}

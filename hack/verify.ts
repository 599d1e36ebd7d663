/** All checks that need nothing running, in order; every failure is shown, not only the first. */
import { spawnSync } from "node:child_process";

const CHECKS = ["format", "lint", "types", "dead", "check:generated"] as const;

const failed: string[] = [];
for (const check of CHECKS) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync("npm", ["run", "--silent", check], { encoding: "utf8" });
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`${status === 0 ? "ok    " : "FAILED"} ${check} (${seconds} s)`);
  if (status === 0) continue;
  failed.push(check);
  console.log(`${stdout}${stderr}`);
}
if (failed.length > 0) {
  console.error(`failed: ${failed.join(", ")}`);
  process.exitCode = 1;
}

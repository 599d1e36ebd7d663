/**
 * Runs one of the project's programs on the project's own Node, installing first what is missing: so that every
 * npm script works as the very first command in a fresh clone. Plain JavaScript without imports from
 * node_modules, because it is the one file that also runs on an older Node and before `npm ci`.
 *
 * Usage: node hack/first-run.mjs <program.ts> [arguments]
 */
import { spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const OLDEST_NODE = 20;
const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".opal-installed");

const major = Number(process.versions.node.split(".")[0]);
if (major < OLDEST_NODE) {
  console.error(
    `OPAL needs Node ${OLDEST_NODE} or newer to start (this is ${process.versions.node}): install it from your package manager or nodejs.org, then run the command again.`,
  );
  process.exit(78);
}

const lockfile = createHash("sha256")
  .update(readFileSync(join(root, "package-lock.json")))
  .digest("hex");
const installed = existsSync(stamp) && readFileSync(stamp, "utf8") === lockfile;
if (!installed) install();

const [program, ...args] = process.argv.slice(2);
const child = spawn(join(root, "node_modules", ".bin", "node"), [join(root, program), ...args], {
  stdio: "inherit",
  cwd: root,
  env: { ...process.env, OPAL_INVOKED_FROM: process.cwd() },
});
// The terminal signals the whole group; a supervisor signals only this process, so pass it on.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.on("exit", (code, signal) => process.exit(signal ? 1 : code));

function install() {
  const started = Date.now();
  console.error("installing the packages of package-lock.json (usually one minute) ...");
  const { status } = spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    stdio: ["ignore", 2, 2],
    // This package's install script fetches GPU libraries that only the GPU image needs.
    env: { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" },
  });
  if (status !== 0) {
    console.error('"npm ci" failed (its message is above): mend that, then run the command again.');
    process.exit(1);
  }
  writeFileSync(stamp, lockfile);
  console.error(`packages installed in ${Math.round((Date.now() - started) / 1000)} s`);
}

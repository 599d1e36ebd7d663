/**
 * A launcher for the tests to kill: starts the scripts that it is given (JSON: [{name, script}]) as parts, one
 * after the other, and prints their pids in one line. After that it prints the pid of every reaper that replaces
 * a killed one, when that one has been told everything.
 */
import { startReaper } from "./reaper.ts";
import { spawnPart } from "./part.ts";
import { aScript } from "./testing.ts";

const [folder = "", scripts = "[]", folderToRemove] = process.argv.slice(2);
const reaper = startReaper({ env: process.env });
if (folderToRemove !== undefined) reaper.removeFolder(folderToRemove);
const pids: Record<string, number> = { reaper: reaper.pid };
for (const { name, script } of JSON.parse(scripts)) {
  const options = aScript(folder, name, script);
  const part = await spawnPart({ ...options, env: process.env, graceSeconds: 1 }, reaper);
  pids[name] = part.pid;
}
console.log(JSON.stringify(pids));
let known = reaper.pid;
setInterval(() => {
  if (reaper.pid === known) return;
  known = reaper.pid;
  console.log(known);
}, 10);

import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { environmentGivingBack } from "./freed-memory.ts";

const SETTING = "MALLOC_MMAP_THRESHOLD_";
const PROGRAM = `
import { givingMemoryBack } from ${JSON.stringify(new URL("freed-memory.ts", import.meta.url))};
givingMemoryBack(process.env);
console.log(JSON.stringify([process.argv.slice(2), process.execArgv, process.env["${SETTING}"]]));
`;

async function started(environment: NodeJS.ProcessEnv): Promise<unknown> {
  const dir = await mkdtemp(join(tmpdir(), "opal-freed-"));
  try {
    const path = join(dir, "program.mjs");
    await writeFile(path, PROGRAM);
    const args = ["--expose-gc", path, "one", "two words"];
    const { stdout } = await promisify(execFile)(process.execPath, args, { env: environment });
    return JSON.parse(stdout);
  } finally {
    await rm(dir, { recursive: true });
  }
}

it("starts anew with the setting, once, and with the same arguments", async () => {
  const { [SETTING]: _, ...unset } = process.env;
  expect(await started(unset)).toEqual([["one", "two words"], ["--expose-gc"], "1048576"]);
});

it("leaves what somebody has settled", async () => {
  expect(environmentGivingBack({ [SETTING]: "4096" })).toBeUndefined();
  expect(await started({ ...process.env, [SETTING]: "4096" })).toEqual([
    ["one", "two words"],
    ["--expose-gc"],
    "4096",
  ]);
});

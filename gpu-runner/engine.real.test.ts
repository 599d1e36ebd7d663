import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import * as z from "zod";
import { environmentGivingBack } from "./freed-memory.ts";

const PROGRAM = fileURLToPath(new URL("testing-recycle.ts", import.meta.url));

const Told = z.object({
  recycledEmpty: z.boolean(),
  recycled: z.boolean(),
  peakRssMiB: z.number(),
  heldMiB: z.number(),
  releasedMiB: z.number(),
  isSame: z.boolean(),
});

it("opens its models anew above the mark, gives their memory back and makes the same bytes", async () => {
  const env = environmentGivingBack(process.env) ?? process.env;
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM], { env });
  const told = Told.parse(JSON.parse(stdout));
  expect(told.recycledEmpty).toBe(false);
  expect(told.peakRssMiB).toBeGreaterThan(500);
  expect(told.recycled).toBe(true);
  expect(told.releasedMiB).toBeLessThan(told.heldMiB - 100);
  expect(told.isSame).toBe(true);
});

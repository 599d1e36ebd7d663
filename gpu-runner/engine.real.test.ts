import { afterAll, expect, it } from "vitest";
import { createEngine } from "./engine.ts";
import { rssMiB } from "./memory.ts";
import { A_MACHINE, photoBytes, testModels } from "./testing.ts";

const engine = createEngine({ ...A_MACHINE, modelsDir: await testModels() });
afterAll(() => engine.close());

it("opens its models anew above the mark, gives their memory back and makes the same bytes", async () => {
  const photo = await photoBytes("coffee");
  const run = () => engine.run({ stage: "segment", photo });
  expect(await engine.recycleAbove(1)).toBe(false);
  engine.warm({ segment: true, factor: 2 });
  const before = await run();
  const heldMiB = rssMiB();
  expect(before.peakRssMiB).toBeGreaterThan(500);
  expect(await engine.recycleAbove(1)).toBe(true);
  expect(rssMiB()).toBeLessThan(heldMiB - 100);
  const after = await run();
  expect(Buffer.from(after.picture.bytes).equals(before.picture.bytes)).toBe(true);
});

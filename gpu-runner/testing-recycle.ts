/**
 * Opens models, cuts a photo out, opens them anew and cuts it out again; prints what memory was held meanwhile. A
 * program of its own, since only a process' start can tell the C library to give freed memory back, as runners do.
 */
import { createEngine } from "./engine.ts";
import { rssMiB } from "./memory.ts";
import { A_MACHINE, photoBytes, testModels } from "./testing.ts";

const engine = createEngine({ ...A_MACHINE, modelsDir: await testModels() });
const photo = await photoBytes("coffee");
const run = () => engine.run({ stage: "segment", photo });

const recycledEmpty = await engine.recycleAbove(1);
engine.warm({ segment: true, factor: 2 });
const before = await run();
const heldMiB = rssMiB();
const recycled = await engine.recycleAbove(1);
const releasedMiB = rssMiB();
const after = await run();
await engine.close();

console.log(
  JSON.stringify({
    recycledEmpty,
    recycled,
    peakRssMiB: before.peakRssMiB,
    heldMiB,
    releasedMiB,
    isSame: Buffer.from(after.picture.bytes).equals(before.picture.bytes),
  }),
);

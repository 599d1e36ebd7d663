import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { createSession, partOf } from "./onnx-part.ts";
import { modelDir } from "./testing.ts";
import { withoutRandomness } from "./without-randomness.ts";

const drawing = `${modelDir("sd15")}/vae_encoder/model.onnx`;
const picture = Float32Array.from({ length: 3 * 64 * 64 }, (_, i) => Math.sin(i / 50));

async function encoded(edit: typeof withoutRandomness | undefined) {
  const part = partOf(await createSession(drawing, edit, { logSeverityLevel: 3 }));
  const run = () => part.run({ sample: part.tensor("sample", picture, [1, 3, 64, 64]) }, ["latent_sample"]);
  return [await run(), await run()];
}

it("makes an encoder that draws its sample give the same latents every time", async () => {
  const [first, second] = await encoded(withoutRandomness);
  expect(second).toEqual(first);
  const [drawn, drawnAgain] = await encoded(undefined);
  expect(drawnAgain).not.toEqual(drawn);
  for (const [i, value] of (first?.[0] ?? []).entries()) expect(value).toBeCloseTo(drawn?.[0]?.[i] ?? 0, 4);
});

it("leaves files that draw nothing as they are", () => {
  const file = readFileSync(`${modelDir("sd2-v")}/vae_encoder/model.onnx`);
  expect(withoutRandomness(file)).toBe(file);
});

it("says so when a file is no ONNX model", () => {
  expect(() => withoutRandomness(new TextEncoder().encode("<html>"))).toThrow(RangeError);
});

import { Tensor } from "onnxruntime-node";
import { describe, expect, it } from "vitest";
import type { OnnxPart } from "../diffusion/onnx-part.ts";
import { type Model, openModel } from "../diffusion/testing.ts";
import { isObjectedTo } from "./safety-checker.ts";
import { sceneFolder, sceneSizes, sceneSteps } from "./scene-model.ts";
import { DEFAULT_SCENES, OWN_SCENE_MODEL } from "./scene-settings.ts";

describe("a scene model", () => {
  it("lies in the models' folder, but for the runner's own", () => {
    expect(sceneFolder("/models", "sd-turbo")).toBe("/models/sd-turbo");
    expect(sceneFolder("/models", OWN_SCENE_MODEL)).toMatch(/gpu-runner\/diffusion\/scene-model$/);
  });

  it.each([
    { model: "sd2-v", steps: 25, guidance: 7.5 },
    { model: "lcm", steps: 6, guidance: 8 },
    { model: "turbo", steps: 4, guidance: 0 },
  ] as const)("is used as its kind is: $model", async ({ model, ...usual }) => {
    expect(sceneSteps(await openModel(model), DEFAULT_SCENES)).toMatchObject(usual);
  });

  it("is used as its folder says, and before that as the settings say", async () => {
    const pipeline = await openModel("sd2-v");
    const opal = { steps: 20, guidance: 4, sizes: [[192, 192] as [number, number]] };
    const own = { ...pipeline, folder: { ...pipeline.folder, index: { ...pipeline.folder.index, opal } } };
    expect(sceneSteps(own, DEFAULT_SCENES)).toMatchObject({ steps: 20, guidance: 4 });
    expect(sceneSteps(own, { ...DEFAULT_SCENES, steps: 9 })).toMatchObject({ steps: 9, guidance: 4 });
    expect(sceneSizes(own)).toEqual([{ width: 192, height: 192 }]);
  });

  it.each(["sd2-v", "sdxl"] as const)("paints in sizes that its network takes: %s", async (name: Model) => {
    for (const { width, height } of sceneSizes(await openModel(name))) {
      expect([width % 16, height % 16]).toEqual([0, 0]);
    }
  });
});

/** A checker that objects to bright pictures. */
function checker(seen: Tensor[]): OnnxPart {
  return {
    inputs: new Map(),
    outputs: new Map(),
    tensor: (_, values, dims) => new Tensor("float32", Float32Array.from(values), dims),
    run: (feeds) => {
      const { clip_input: clip, images } = feeds;
      if (!clip || !images) throw new Error("the checker was not given both pictures");
      seen.push(clip, images);
      return Promise.resolve([Float32Array.of(Number(images.data[0]) > 0.5 ? 1 : 0)]);
    },
  };
}

describe("isObjectedTo", () => {
  const grey = (level: number) => ({ width: 32, height: 24, data: new Uint8Array(32 * 24 * 3).fill(level) });

  it("asks the model's checker, which sees the picture as CLIP does", async () => {
    const seen: Tensor[] = [];
    const sessions = { part: () => Promise.resolve(checker(seen)) };
    expect(await isObjectedTo(grey(20), "checker.onnx", sessions)).toBe(false);
    expect(await isObjectedTo(grey(200), "checker.onnx", sessions)).toBe(true);
    const [clip, images] = seen;
    expect(clip?.dims).toEqual([1, 3, 224, 224]);
    expect(clip?.data[0]).toBeCloseTo((20 / 255 - 0.48145466) / 0.26862954, 5);
    expect(images?.dims).toEqual([1, 24, 32, 3]);
  });

  it("objects to nothing where the folder has no checker", async () => {
    const sessions = { part: () => expect.fail("there is nothing to open") };
    expect(await isObjectedTo(grey(200), undefined, sessions)).toBe(false);
  });
});

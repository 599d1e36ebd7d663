import { describe, expect, it } from "vitest";
import { SEGMENTER } from "../models/catalogue.ts";
import { type ModelInput, ModelSessions } from "../models/sessions.ts";
import { newRgb } from "../pipeline/raster.ts";
import { makeMatte } from "./segment-matte.ts";

const SIDE = 1024;
const SMALL_SIDE = 512;
const { size, sides } = SEGMENTER.task;

/** A disc's radius as a share of the first look's side, and of closer ones': with the runner's room round it. */
const [FROM_AFAR, CLOSER] = [0.2, 0.43];

/** Sees a disc in the middle, as surely as the scores say in their order. */
class Scripted extends ModelSessions {
  /** The longer side of each. */
  readonly looks: number[] = [];
  readonly shapes: string[] = [];
  readonly #scores: readonly number[];
  /** Of closer looks. */
  radius = CLOSER;

  constructor(...scores: readonly number[]) {
    super({ modelsDir: "", provider: "cpu", intraOpThreads: 1 });
    this.#scores = scores;
  }

  override run(_model: unknown, { dims }: ModelInput): Promise<Float32Array> {
    const [width, height] = [dims[3] ?? 0, dims[2] ?? 0];
    const score = this.#scores[this.looks.length] ?? 0;
    const radius = this.looks.length === 0 ? FROM_AFAR : this.radius;
    this.looks.push(Math.max(width, height));
    this.shapes.push(`${width}x${height}`);
    const out = new Float32Array(width * height);
    for (let i = 0; i < out.length; i++) {
      const [x, y] = [(i % width) / width - 0.5, Math.floor(i / width) / height - 0.5];
      if (Math.hypot(x, y) < radius) out[i] = score;
    }
    return Promise.resolve(out);
  }
}

const picture = newRgb(SIDE, SIDE);
const small = newRgb(SMALL_SIDE, SMALL_SIDE);

describe("looks at a photo", () => {
  it("are two, at the whole and at the product, in as few pixels as show either", async () => {
    const sessions = new Scripted(0.8, 1);
    const { alpha } = await makeMatte(small, SEGMENTER, sessions);
    expect(sessions.looks).toEqual([sides?.locate, sides?.closer]);
    expect(alpha.data[(SMALL_SIDE / 2) * SMALL_SIDE + SMALL_SIDE / 2]).toBeGreaterThan(200);
  });

  it("are a square at the whole, and as wide and as high as what the closer ones show", async () => {
    const sessions = new Scripted(0.8, 1);
    await makeMatte(newRgb(320, 160), SEGMENTER, sessions);
    expect(sessions.shapes).toEqual(["512x512", "640x384"]);
  });

  it("show a product of many pixels in more", async () => {
    const sessions = new Scripted(0.8, 1);
    await makeMatte(picture, SEGMENTER, sessions);
    expect(sessions.looks).toEqual([sides?.locate, sides?.closerAtMany]);
  });

  it("are three where the product turns out much smaller than it seemed, and never more", async () => {
    const sessions = new Scripted(1, 1, 1);
    sessions.radius = CLOSER / 2;
    await makeMatte(picture, SEGMENTER, sessions);
    expect(sessions.looks).toEqual([sides?.locate, sides?.closerAtMany, sides?.closer]);
  });

  it("are of the one size that a network takes, the second only where it shows more", async () => {
    const oneSquare = { ...SEGMENTER, task: { ...SEGMENTER.task, sides: undefined } };
    const sessions = new Scripted(1, 1);
    await makeMatte(picture, oneSquare, sessions);
    expect(sessions.looks).toEqual([size, size]);
    const closeUp = newRgb(SIDE / 4, SIDE / 4);
    const once = new Scripted(1, 1);
    await makeMatte(closeUp, oneSquare, once);
    expect(once.looks).toEqual([size]);
  });

  it("each have a say on whether there is a product", async () => {
    const nothing = new Scripted(0.1);
    await expect(makeMatte(picture, SEGMENTER, nothing)).rejects.toMatchObject({ class: "no-product" });
    expect(nothing.looks).toEqual([sides?.locate]);
    const onlyFromAfar = new Scripted(0.51, 0.1);
    await expect(makeMatte(picture, SEGMENTER, onlyFromAfar)).rejects.toMatchObject({ class: "no-product" });
  });
});

import { describe, expect, it } from "vitest";
import { SEGMENTER } from "../models/catalogue.ts";
import { type ModelInput, ModelSessions } from "../models/sessions.ts";
import { newRgb } from "../pipeline/raster.ts";
import { makeMatte } from "./segment-matte.ts";

const SIDE = 1024;
const { size, sides } = SEGMENTER.task;

/** Sees a disc in the middle, as surely as the looks' sides say in their order. */
class Scripted extends ModelSessions {
  readonly looks: number[] = [];
  readonly #scores: readonly number[];

  constructor(...scores: readonly number[]) {
    super({ modelsDir: "", provider: "cpu", intraOpThreads: 1 });
    this.#scores = scores;
  }

  override run(_model: unknown, { dims }: ModelInput): Promise<Float32Array> {
    const side = dims[3] ?? 0;
    const score = this.#scores[this.looks.length] ?? 0;
    this.looks.push(side);
    const out = new Float32Array(side * side);
    for (let i = 0; i < out.length; i++) {
      const [x, y] = [(i % side) / side - 0.5, Math.floor(i / side) / side - 0.5];
      if (Math.hypot(x, y) < 0.2) out[i] = score;
    }
    return Promise.resolve(out);
  }
}

const picture = newRgb(SIDE, SIDE);

describe("looks at a photo", () => {
  it("are two small ones where they are sure", async () => {
    const sessions = new Scripted(1, 1);
    await makeMatte(picture, SEGMENTER, sessions);
    expect(sessions.looks).toEqual([sides?.locate, sides?.closer]);
  });

  it("are taken again at full size where the small ones see hardly anything solid", async () => {
    const sessions = new Scripted(0.91, 0.91, 1, 1);
    const { alpha } = await makeMatte(picture, SEGMENTER, sessions);
    expect(sessions.looks).toEqual([sides?.locate, sides?.closer, size, size]);
    expect(alpha.data[(SIDE / 2) * SIDE + SIDE / 2]).toBe(255);
  });

  it("at the whole picture at full size are taken once, though two rounds need them", async () => {
    const sessions = new Scripted(0.6, 0.6, 0.6, 1);
    const { alpha } = await makeMatte(picture, SEGMENTER, sessions);
    expect(sessions.looks).toEqual([sides?.locate, size, sides?.closer, size]);
    expect(alpha.data[(SIDE / 2) * SIDE + SIDE / 2]).toBeGreaterThan(200);
  });

  it("have the last word at full size on whether there is a product", async () => {
    const sessions = new Scripted(0.91, 0.91, 0.1);
    await expect(makeMatte(picture, SEGMENTER, sessions)).rejects.toMatchObject({ class: "no-product" });
  });
});

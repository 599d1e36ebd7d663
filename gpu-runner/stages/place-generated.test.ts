import { describe, expect, it } from "vitest";
import { Brand } from "#crds/brand.ts";
import type { Alpha, Rgb } from "../pipeline/raster.ts";
import type { Background } from "../pipeline/studio-set.ts";
import { paintScene, type PlateOrder, type SceneMaker } from "./place-generated.ts";
import { settleLook } from "./place-look.ts";

const SIDE = 20;
const grey: Rgb = { width: SIDE, height: SIDE, data: new Uint8Array(SIDE * SIDE * 3).fill(128) };

/** A matte: the columns 5 to 5 + `columns`. */
function matte(columns: number): Alpha {
  const data = Uint8Array.from({ length: SIDE * SIDE }, (_, i) => {
    const x = i % SIDE;
    return x >= 5 && x < 5 + columns ? 255 : 0;
  });
  return { width: SIDE, height: SIDE, data };
}

/** Paints by script: the columns that the product seems to have in each try, or "unsafe". */
function scripted(script: readonly (number | "unsafe")[]) {
  const orders: PlateOrder[] = [];
  let looked = 0;
  const seen = script.filter((entry) => entry !== "unsafe");
  const maker: SceneMaker = {
    settings: { model: "m", tries: script.length, refusedWords: ["gore"] },
    paint: (order) => {
      orders.push(order);
      const made = {
        prompt: order.prompt,
        seed: order.seed,
        strength: order.strength,
        steps: 2,
        guidance: 3,
        width: SIDE,
        height: SIDE,
        model: { name: "m", sha256: "", licence: "" },
      };
      return Promise.resolve({ rgb: grey, isUnsafe: script[orders.length - 1] === "unsafe", made });
    },
    see: () => Promise.resolve(matte(seen[looked++] ?? 0)),
    resize: (alpha) => Promise.resolve(alpha),
  };
  return { maker, orders };
}

function paint(brand: object, script: readonly (number | "unsafe")[]) {
  const parsed = Brand.parse({ placement: "generated", prompt: "oak table", seed: 7, ...brand });
  const { maker, orders } = scripted(script);
  const look = settleLook(parsed, matte(10), []);
  const canvas = { picture: grey, alone: { colour: grey, alpha: matte(10) } };
  const stage = (background: Background) => ({ ...canvas, light: background.data[0] });
  return { orders, made: paintScene({ brand: parsed, look, maker, canvas }, stage) };
}

describe("paintScene", () => {
  it("takes the first picture that leaves the product its size, and paints no more", async () => {
    const { made, orders } = paint({}, [10, 14, 14]);
    const { generated, staged } = await made;
    expect(generated).toMatchObject({ seed: 7, tries: 1, growth: 0, prompt: "oak table" });
    expect(orders).toHaveLength(1);
    expect(staged.light).toBeCloseTo(0.2158, 3);
  });

  it("goes on to the next seed when the product has grown by more than 4 %", async () => {
    const { made, orders } = paint({}, [12, 10, 10]);
    expect((await made).generated).toMatchObject({ seed: 8, tries: 2, growth: 0 });
    expect(orders.map(({ seed }) => seed)).toEqual([7, 8]);
  });

  it("takes the least grown in the end, and says how much it grew", async () => {
    const { made } = paint({}, [14, 12, 13]);
    const { generated } = await made;
    expect(generated).toMatchObject({ seed: 8, tries: 3 });
    expect(generated.growth).toBeCloseTo(0.2, 6);
  });

  it("passes over what the model's checker objects to, and gives up when it objects to all", async () => {
    const { made } = paint({}, ["unsafe", 10]);
    expect((await made).generated).toMatchObject({ seed: 8, tries: 2 });
    await expect(paint({}, ["unsafe", "unsafe"]).made).rejects.toMatchObject({ class: "needs-review" });
  });

  it("lets the brand's colours shine through, and only those", async () => {
    expect(paint({}, [10]).orders[0]?.strength).toBe(1);
    expect(paint({ palette: ["#aa3322"] }, [10]).orders[0]?.strength).toBeLessThan(1);
  });

  it("paints nothing for a refused prompt", async () => {
    const { made, orders } = paint({ prompt: "gore on a table" }, [10]);
    await expect(made).rejects.toMatchObject({ class: "bad-input" });
    expect(orders).toHaveLength(0);
  });
});

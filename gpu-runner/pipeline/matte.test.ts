import { describe, expect, it } from "vitest";
import { tidyMatte } from "./matte-tidy.ts";
import { alphaBox, coreMask, judgeScores, toAlpha, touchedEdges } from "./matte.ts";
import type { Alpha } from "./raster.ts";

function drawn(rows: readonly string[]): Alpha {
  const levels: Record<string, number> = { ".": 0, "=": 64, "-": 128, "#": 255 };
  const data = Uint8Array.from(rows.join(""), (c) => levels[c] ?? 0);
  return { width: rows[0]?.length ?? 0, height: rows.length, data };
}

const scores = (values: readonly number[]) => ({
  width: values.length,
  height: 1,
  data: Float32Array.from(values),
});

describe("judgeScores", () => {
  it.each([
    { name: "a blank wall, whose scores stay under 0.05", values: [0.044, 0.01, 0.02, 0], found: false },
    { name: "haze that is no product", values: [0.3, 0.4, 0.45, 0.2], found: false },
    { name: "a clear product", values: [0, 0.999, 1, 0], found: true },
  ])("judges $name", ({ values, found }) => {
    expect(judgeScores(scores(values)).found).toBe(found);
  });

  it("takes a single glowing pixel for no product", () => {
    const values = Array.from({ length: 4000 }, () => 0.01);
    values[17] = 0.9;
    expect(judgeScores(scores(values)).found).toBe(false);
  });
});

it("keeps soft edges soft, and cleans haze and near-solid", () => {
  expect([...toAlpha(scores([0.01, 0.5, 0.98])).data]).toEqual([0, 128, 255]);
});

it("finds the product's box and the edges that it reaches", () => {
  const alpha = drawn(["....", ".##.", ".##."]);
  const box = alphaBox(alpha, 1);
  expect(box).toEqual({ x: 1, y: 1, width: 2, height: 2 });
  expect(box && touchedEdges(alpha, box)).toEqual(["bottom"]);
  expect(alphaBox(drawn(["..", ".."]), 1)).toBeUndefined();
});

describe("coreMask", () => {
  it("keeps what lies deep enough inside the opaque part", () => {
    const core = coreMask(drawn(["-----", "-###-", "-###-", "-###-", "-----"]), 1);
    expect(core.reduce((sum, value) => sum + value, 0)).toBe(1);
    expect(core[12]).toBe(1);
  });

  it("counts the picture's edge as outside", () => {
    expect([...coreMask(drawn(["###", "###", "###"]), 1)]).toEqual([0, 0, 0, 0, 1, 0, 0, 0, 0]);
  });
});

describe("tidyMatte", () => {
  const blank = () => Array.from({ length: 60 }, () => ".".repeat(60).split(""));
  function withProduct(change: (rows: string[][]) => void): Alpha {
    const rows = blank();
    for (let y = 5; y < 55; y++) for (let x = 10; x < 50; x++) (rows[y] as string[])[x] = "#";
    change(rows);
    return drawn(rows.map((row) => row.join("")));
  }
  const set = (rows: string[][], x: number, y: number, value: string) => ((rows[y] as string[])[x] = value);

  it("clears specks away from the product", () => {
    const tidy = tidyMatte(withProduct((rows) => set(rows, 57, 2, "-")));
    expect(tidy.specksCleared).toBe(1);
    expect(tidy.alpha.data[2 * 60 + 57]).toBe(0);
  });

  it("closes pinholes but keeps real holes such as a handle's", () => {
    const tidy = tidyMatte(
      withProduct((rows) => {
        set(rows, 20, 20, ".");
        for (let y = 30; y < 40; y++) for (let x = 25; x < 35; x++) set(rows, x, y, ".");
      }),
    );
    expect(tidy.pinholesClosed).toBe(1);
    expect(tidy.alpha.data[20 * 60 + 20]).toBe(255);
    expect(tidy.alpha.data[35 * 60 + 30]).toBe(0);
  });

  it("leaves a small hole open, and a small piece where it is, when two passes saw them", () => {
    const matte = withProduct((rows) => {
      for (let y = 20; y < 24; y++) for (let x = 20; x < 23; x++) set(rows, x, y, ".");
      for (let y = 2; y < 5; y++) for (let x = 54; x < 58; x++) set(rows, x, y, "#");
    });
    const pass = { ...matte, data: Float32Array.from(matte.data, (level) => level / 255) };
    const doubting = { ...matte, data: Float32Array.from(matte.data, () => 0.7) };
    expect(tidyMatte(matte, [pass]).specksCleared).toBe(1);
    expect(tidyMatte(matte, [pass, pass])).toMatchObject({ specksCleared: 0, pinholesClosed: 0 });
    expect(tidyMatte(matte, [pass, doubting]).specksCleared).toBe(0);
  });

  it("closes a reflection in an opaque product: nowhere clear, and opaque all round", () => {
    const patch = (left: number) => (rows: string[][]) => {
      for (let y = 30; y < 34; y++) for (let x = left; x < left + 6; x++) set(rows, x, y, "-");
    };
    const closed = tidyMatte(withProduct(patch(20)));
    expect(closed).toMatchObject({ pinholesClosed: 1 });
    expect(closed.alpha.data[32 * 60 + 22]).toBe(255);
    const reachesTheEdge = withProduct(patch(10));
    expect(tidyMatte(reachesTheEdge).alpha).toEqual(reachesTheEdge);
    const clearInside = withProduct((rows) => {
      patch(20)(rows);
      set(rows, 22, 32, ".");
    });
    expect(tidyMatte(clearInside).alpha).toEqual(clearInside);
  });

  it("leaves what is see-through at large", () => {
    const window = withProduct((rows) => {
      for (let y = 15; y < 45; y++) for (let x = 20; x < 40; x++) set(rows, x, y, "-");
    });
    expect(tidyMatte(window).alpha).toEqual(window);
  });

  const ghost = (rows: string[][]) => {
    for (let y = 8; y < 50; y++) for (let x = 52; x < 58; x++) set(rows, x, y, "=");
  };

  it("clears a ghost of any size beside a product", () => {
    const tidy = tidyMatte(withProduct(ghost));
    expect(tidy.specksCleared).toBe(1);
    expect(tidy.alpha.data[20 * 60 + 55]).toBe(0);
    expect(tidy.alpha.data[20 * 60 + 20]).toBe(255);
  });

  it("keeps a veil that is faint altogether", () => {
    const rows = blank();
    ghost(rows);
    const tidy = tidyMatte(drawn(rows.map((row) => row.join(""))));
    expect(tidy.specksCleared).toBe(0);
    expect(tidy.alpha.data[20 * 60 + 55]).toBe(64);
  });
});

import sharp from "sharp";
import { beforeAll, describe, expect, it } from "vitest";
import { buildXmp } from "../provenance/xmp.ts";
import { encodeExport, type RawPicture } from "../stages/export-encode.ts";
import { CHANNELS } from "./profiles.ts";
import { brokenRules, type Expected, validate } from "./validate.ts";
import { readWrittenFile, type WrittenFile } from "./written-file.ts";

const SIDE = 1200;
const PRODUCT = { x: 60, y: 60, width: 1080, height: 1080 };
const xmp = buildXmp({ sourceType: "compositeCapture" });

function picture(background: number): { raw: RawPicture; silhouette: Expected["silhouette"] } {
  const data = new Uint8Array(SIDE * SIDE * 3).fill(background);
  const silhouette = { width: SIDE, height: SIDE, data: new Uint8Array(SIDE * SIDE) };
  for (let y = PRODUCT.y; y < PRODUCT.y + PRODUCT.height; y++) {
    const from = y * SIDE + PRODUCT.x;
    data.fill(40, from * 3, (from + PRODUCT.width) * 3);
    silhouette.data.fill(255, from, from + PRODUCT.width);
  }
  return { raw: { data, width: SIDE, height: SIDE, channels: 3 }, silhouette };
}

const expected = (changes: Partial<Expected> = {}): Expected =>
  ({
    size: { width: SIDE, height: SIDE },
    format: "jpeg",
    sourceType: "compositeCapture",
    product: PRODUCT,
    silhouette: picture(255).silhouette,
    profile: CHANNELS["amazon-main"],
    ...changes,
  }) as Expected;

describe("the validator", () => {
  let good: WrittenFile;
  beforeAll(async () => {
    good = await readWrittenFile(await encodeExport(picture(255).raw, { format: "jpeg", quality: 90, xmp }));
  });

  it("passes a file that keeps every rule, and tells the numbers", () => {
    const { passed, rules } = validate(good, expected());
    expect(passed).toBe(true);
    expect(Object.fromEntries(rules.map(({ rule, value }) => [rule, value]))).toMatchObject({
      size: "1200×1200",
      "longest-side": 1200,
      "white-background": 100,
      fill: 90,
      "whole-product": 0,
      "no-location": "none",
      "no-alpha": "none",
    });
  });

  const broken: readonly {
    name: string;
    changes: Partial<WrittenFile>;
    wanted?: Partial<Expected>;
    rule: string;
  }[] = [
    { name: "another size", changes: { width: 1199 }, rule: "size" },
    { name: "another format", changes: { format: "webp" }, rule: "file-type" },
    { name: "another profile", changes: { profile: "Display P3" }, rule: "colour" },
    { name: "no profile", changes: { profile: undefined }, rule: "colour" },
    { name: "alpha", changes: { hasAlpha: true }, rule: "no-alpha" },
    { name: "no source type", changes: { sourceType: undefined }, rule: "source-type" },
    { name: "a place", changes: { namesPlace: true }, rule: "no-location" },
    { name: "too much weight", changes: { bytes: 11 * 1024 * 1024 }, rule: "file-weight" },
    { name: "too few pixels", changes: { width: 900, height: 900 }, rule: "longest-side" },
    {
      name: "a ghost of a product",
      changes: {},
      wanted: { silhouette: { width: SIDE, height: SIDE, data: new Uint8Array(SIDE * SIDE).fill(90) } },
      rule: "fill",
    },
    {
      name: "a product that is cut",
      changes: {},
      wanted: { product: { ...PRODUCT, x: 140 } },
      rule: "whole-product",
    },
    {
      name: "a generated picture not marked",
      changes: {},
      wanted: { sourceType: "compositeWithTrainedAlgorithmicMedia" },
      rule: "source-type",
    },
    {
      name: "a product under a story's buttons",
      changes: {},
      wanted: { covered: { top: 0.14, bottom: 0.2, left: 0, right: 0 } },
      rule: "safe-zone",
    },
  ];
  it.each(broken)("finds $name", ({ changes, wanted, rule }) => {
    const validation = validate({ ...good, ...changes }, expected(wanted));
    expect(validation.passed).toBe(false);
    expect(brokenRules(validation)).toContain(`${rule} is `);
  });

  it("finds a background that is white to the eye only", async () => {
    const bytes = await encodeExport(picture(254).raw, { format: "png", quality: 90, xmp });
    const validation = validate(await readWrittenFile(bytes), expected({ format: "png" }));
    expect(brokenRules(validation)).toBe("white-background is 0, wanted 100 % of it #ffffff");
  });

  it("finds one grey pixel", async () => {
    const { raw } = picture(255);
    raw.data[(20 * SIDE + 20) * 3] = 250;
    const bytes = await encodeExport(raw, { format: "png", quality: 90, xmp });
    expect(validate(await readWrittenFile(bytes), expected({ format: "png" })).passed).toBe(false);
  });
});

it("reads a file back by its bytes alone", async () => {
  const bytes = await sharp({
    create: { width: 30, height: 20, channels: 4, background: { r: 0, g: 0, b: 0, alpha: 0 } },
  })
    .withExif({ IFD3: { GPSLatitudeRef: "N", GPSLatitude: "52/1 22/1 0/1" } })
    .webp()
    .toBuffer();
  const file = await readWrittenFile(bytes);
  expect(file).toMatchObject({ format: "webp", width: 30, height: 20, hasAlpha: true, namesPlace: true });
  expect([...file.rgb.subarray(0, 3)]).toEqual([255, 255, 255]);
});

import { expect, test } from "vitest";
import { parseDemoArguments } from "./arguments.ts";

test("without arguments it shows the repository's photos in a studio", () => {
  expect(parseDemoArguments([])).toEqual({
    photos: [],
    style: "studio",
    out: "out/demo",
    json: false,
    keep: false,
  });
});

test("takes several photos", () => {
  expect(
    parseDemoArguments(["--photo", "a.jpg", "--photo", "b.png", "--style", "color", "--json"]),
  ).toMatchObject({
    photos: ["a.jpg", "b.png"],
    style: "color",
    json: true,
  });
});

test.each([
  { args: ["--style", "jungle"], says: "none of studio, color, transparent" },
  { args: ["a.jpg"], says: "--photo a.jpg" },
  { args: ["--phto", "a.jpg"], says: "--phto" },
])("refuses $args and says why", ({ args, says }) => {
  expect(() => parseDemoArguments(args)).toThrow(says);
});

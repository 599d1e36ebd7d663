import { expect, test } from "vitest";
import { parseDemoArguments } from "./arguments.ts";

test("without arguments it shows the repository's photos in a studio", () => {
  expect(parseDemoArguments([])).toEqual({
    photos: [],
    style: "studio",
    seed: 0,
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

test("takes a scene in words", () => {
  const args = ["--style", "generated", "--prompt", "on an oak table", "--seed", "7", "--model", "sd-turbo"];
  expect(parseDemoArguments(args)).toMatchObject({
    style: "generated",
    prompt: "on an oak table",
    model: "sd-turbo",
    seed: 7,
  });
});

test.each([
  { args: ["--style", "jungle"], says: "none of studio, color, transparent, generated" },
  { args: ["--style", "generated"], says: "needs a --prompt" },
  { args: ["--prompt", "oak table"], says: "--prompt is for --style generated" },
  { args: ["--model", "sd-turbo"], says: "--model is for --style generated" },
  { args: ["--seed", "few"], says: '--seed "few" is no whole number' },
  { args: ["a.jpg"], says: "--photo a.jpg" },
  { args: ["--phto", "a.jpg"], says: "--phto" },
])("refuses $args and says why", ({ args, says }) => {
  expect(() => parseDemoArguments(args)).toThrow(says);
});

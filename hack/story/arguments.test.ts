import { expect, test } from "vitest";
import { parseStoryArguments } from "./arguments.ts";

test("a picture takes a second unless told otherwise", () => {
  expect(parseStoryArguments([])).toEqual({ keep: false, json: false, secondsPerPicture: 1 });
  expect(parseStoryArguments(["--keep", "--seconds-per-picture", "0.5"])).toMatchObject({
    keep: true,
    secondsPerPicture: 0.5,
  });
  expect(parseStoryArguments(["--help"])).toBe("help");
});

test.each([["--seconds-per-picture", "soon"], ["--seconds-per-picture", "0"], ["--scene"]])(
  "%s %s is refused",
  (...args) => {
    expect(() => parseStoryArguments(args)).toThrow(args[0]);
  },
);

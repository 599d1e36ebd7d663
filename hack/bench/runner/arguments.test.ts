import { expect, it } from "vitest";
import { parseRunnerArguments } from "./arguments.ts";

it("takes what is given and fills in the rest", () => {
  expect(parseRunnerArguments(["--long", "0", "--json"])).toEqual({
    json: true,
    pictures: 20,
    upscales: 5,
    long: 0,
  });
  expect(parseRunnerArguments(["-h"])).toBe("help");
});

it.each([
  ["--pictures", "0"],
  ["--long", "-1"],
  ["--upscales", "many"],
])("refuses %s %s", (...args) => {
  expect(() => parseRunnerArguments([`${args[0]}=${args[1]}`])).toThrow(args[0]);
});

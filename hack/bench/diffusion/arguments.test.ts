import { describe, expect, it } from "vitest";
import { parseDiffusionArguments } from "./arguments.ts";

describe("the arguments of bench:diffusion", () => {
  it("measures three sizes in three rounds of six steps when nothing is said", () => {
    expect(parseDiffusionArguments(["--threads", "3"])).toEqual({
      threads: 3,
      json: false,
      rounds: 3,
      steps: 6,
      sizes: ["small", "medium", "large"],
    });
  });

  it("keeps the order of the sizes", () => {
    expect(parseDiffusionArguments(["--sizes", "large,small", "--json"])).toMatchObject({
      json: true,
      sizes: ["small", "large"],
    });
  });

  it.each([
    [["--sizes", "huge"], /"huge" is none of small, medium, large/],
    [["--rounds", "0"], /--rounds "0" is no whole number/],
    [["--steps", "1"], /--steps "1" is no whole number from 2/],
  ])("refuses %j", (args, message) => {
    expect(() => parseDiffusionArguments(args)).toThrow(message);
  });
});

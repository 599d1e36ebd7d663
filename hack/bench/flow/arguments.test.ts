import { expect, test } from "vitest";
import { parseFlowArguments } from "./arguments.ts";

test("measures what is stated unless told otherwise", () => {
  expect(parseFlowArguments([])).toEqual({
    jobs: 300,
    rounds: 3,
    kueueRounds: 1,
    largeJobs: 2000,
    isCoalescing: true,
    json: false,
  });
});

test("names every option that is wrong", () => {
  const parse = () => parseFlowArguments(["--jobs", "many", "--rounds", "0"]);
  expect(parse).toThrow(/--jobs[\s\S]*--rounds/);
});

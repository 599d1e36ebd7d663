import { expect, it } from "vitest";
import { AREAS, parseEvalArguments } from "./arguments.ts";

it("measures everything by default", () => {
  expect(parseEvalArguments([])).toEqual({ json: false, html: undefined, count: 200, only: new Set(AREAS) });
});

it("takes a part of it", () => {
  const args = ["--json", "--count", "12", "--only", "segment, colour", "--html", "page.html"];
  expect(parseEvalArguments(args)).toEqual({
    json: true,
    html: "page.html",
    count: 12,
    only: new Set(["segment", "colour"]),
  });
});

it.each([
  [["--count", "0"]],
  [["--count", "201"]],
  [["--count", "many"]],
  [["--only", "beauty"]],
  [["--loud"]],
])("refuses %j", (args) => {
  expect(() => parseEvalArguments(args)).toThrow();
});

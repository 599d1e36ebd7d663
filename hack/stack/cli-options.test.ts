import { describe, expect, test } from "vitest";
import { parseCli } from "./cli-options.ts";

const places = { cacheDir: "/cache", invokedFrom: "/home/me" };

describe("the arguments of the stack", () => {
  test.each([
    [["up"], { command: "up", dir: "/cache/stacks/default", detach: false, json: false }],
    [
      ["up", "--name", "two", "--detach"],
      { command: "up", dir: "/cache/stacks/two", detach: true, json: false },
    ],
    [["down", "--dir", "here"], { command: "down", dir: "/home/me/here", detach: false, json: false }],
    [
      ["status", "--dir", "/there", "--json"],
      { command: "status", dir: "/there", detach: false, json: true },
    ],
  ])("%j", (args, options) => {
    expect(parseCli(args, places)).toEqual(options);
  });

  test.each([
    [[], "what shall the stack do"],
    [["start"], "what shall the stack do"],
    [["up", "down"], "what shall the stack do"],
    [["up", "--name", "../x"], "is no name for a stack"],
    [["up", "--name", "a", "--dir", "b"], "exclude each other"],
    [["down", "--detach"], '"down"'],
    [["up", "--colour"], "--colour"],
  ])("%j is refused: %s", (args, message) => {
    expect(() => parseCli(args, places)).toThrow(message);
  });
});

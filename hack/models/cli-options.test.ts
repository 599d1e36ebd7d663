import { describe, expect, it } from "vitest";
import { parseCli } from "./cli-options.ts";

const places = { modelsDir: "/cache/models", invokedFrom: "/home/me" };
const parse = (line: string) => parseCli(line.split(" "), places);
const hex = "A".repeat(64);

describe("npm run models", () => {
  it.each([
    { line: "list --json", want: { command: "list", json: true } },
    { line: "pull m --from http://h/x", want: { name: "m", from: "http://h/x", to: "/cache/models" } },
    { line: "pull m --from ../x --to y", want: { from: "/home/x", to: "/home/me/y" } },
    { line: "pull m --from x --lock l.json", want: { lockFile: "/home/me/l.json" } },
    {
      line: `pull m --from x --sha256 unet/model.onnx=${hex} --sha256 a=${hex}`,
      want: { sha256s: { "unet/model.onnx": hex.toLowerCase(), a: hex.toLowerCase() } },
    },
  ])("understands: $line", ({ line, want }) => expect(parse(line)).toMatchObject(want));

  it.each([
    { line: "remove m", message: "list, pull?" },
    { line: "pull", message: "which model" },
    { line: "pull m", message: "--from URL|DIR" },
    { line: "pull m n --from x", message: "list, pull?" },
    { line: "pull m --from x --sha256 a=b", message: "PATH=HEX" },
    { line: "list --loud", message: "--loud" },
  ])("refuses: $line", ({ line, message }) => expect(() => parse(line)).toThrow(message));
});

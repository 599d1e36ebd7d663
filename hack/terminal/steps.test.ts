import { expect, test } from "vitest";
import { createSteps } from "./steps.ts";

function aTerminal(isTTY: boolean) {
  const written: string[] = [];
  return { written, isTTY, columns: 60, write: (text: string) => written.push(text) };
}

test("a pipe gets one line at the start and one at the end", async () => {
  const pipe = aTerminal(false);
  let now = 0;
  const steps = createSteps(pipe, () => now);
  await steps.run("models", "a minute", async (progress) => {
    progress("40 %");
    now = 2500;
  });
  expect(pipe.written).toEqual(["… models (usually a minute)\n", "✓ models (2.5 s)\n"]);
});

test("a terminal sees the line change and never wrap", async () => {
  const terminal = aTerminal(true);
  const steps = createSteps(terminal, () => 0);
  await steps.run("models", "a minute", async (progress) => progress("x".repeat(200)));
  const lines = terminal.written.map((text) => text.replaceAll("\u001B[2K", "").replace(/[\r\n]/g, ""));
  expect(lines.every((line) => line.length < 60)).toBe(true);
  expect(lines.at(-1)).toBe("✓ models (0.0 s)");
});

test("a failure is marked and passed on", async () => {
  const pipe = aTerminal(false);
  const steps = createSteps(pipe, () => 0);
  await expect(steps.run("models", "a minute", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(pipe.written.at(-1)).toContain("✗ models");
});

test("work that finds nothing to do says nothing", async () => {
  const pipe = aTerminal(false);
  const steps = createSteps(pipe, () => 0);
  await steps.runIfNeeded("models", "a minute", () => Promise.resolve());
  expect(pipe.written).toEqual([]);
  await steps.runIfNeeded("models", "a minute", async (progress) => progress("1 %"));
  expect(pipe.written).toHaveLength(2);
});

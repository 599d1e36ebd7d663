import { expect, test } from "vitest";
import { countByKind, parseWrites } from "./audit.ts";

const line = (verb: string, objectRef?: object) =>
  JSON.stringify({ verb, user: { username: "kueue" }, objectRef, stage: "ResponseComplete" });

test("tells writes by user, verb and resource with its subresource", () => {
  const text = [
    line("patch", { resource: "jobs", subresource: "status", name: "a" }),
    line("create", { resource: "jobs" }),
    line("create", { resource: "jobs" }),
    "",
  ].join("\n");
  const writes = parseWrites(text);
  expect(writes[0]).toEqual({ user: "kueue", verb: "patch", resource: "jobs/status" });
  expect(countByKind(writes)).toEqual([
    ["create jobs", 2],
    ["patch jobs/status", 1],
  ]);
});

test("leaves out a line that is being written, and requests for no object", () => {
  expect(parseWrites(`${line("create")}\n${line("create", { resource: "pods" }).slice(0, 20)}`)).toEqual([]);
});

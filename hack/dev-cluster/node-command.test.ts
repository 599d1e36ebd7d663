import { describe, expect, test } from "vitest";
import { nodeReport, parseNodeCommand } from "./node-command.ts";

describe("a command becomes a request", () => {
  test.each([
    { args: "list", request: { verb: "status" } },
    {
      args: "add l4-1 --class l4 --gpus 4 --spot",
      request: {
        verb: "add-node",
        details: { node: { name: "l4-1", gpuClass: "l4", gpus: 4, spot: true } },
      },
    },
    {
      args: "add mig-1 --class mig --resource nvidia.com/mig-1g.10gb",
      request: { details: { node: { gpus: 1, spot: false, gpuResource: "nvidia.com/mig-1g.10gb" } } },
    },
    { args: "lose a", request: { verb: "lose-node", name: "a" } },
    { args: "restore a", request: { verb: "restore-node", name: "a" } },
    { args: "reclaim a", request: { verb: "reclaim-node", details: { noticeSeconds: 30 } } },
    { args: "reclaim a --notice 5", request: { details: { noticeSeconds: 5 } } },
    { args: "remove a", request: { verb: "remove-node", name: "a" } },
  ])("node $args", ({ args, request }) => {
    expect(parseNodeCommand(args.split(" ")).request).toMatchObject(request);
  });

  test("and the cluster's own flags are apart", () => {
    const { request, flags } = parseNodeCommand(["lose", "--name", "mine", "a", "--json"]);
    expect([request.name, flags]).toEqual(["a", { name: "mine", dir: undefined, json: true }]);
  });
});

test.each([
  { args: "", says: "there is list, add" },
  { args: "toString a", says: "there is list, add" },
  { args: "lose", says: "needs a node's name" },
  { args: "add a", says: "needs --class" },
  { args: "add a --class t4 --gpus two", says: '--gpus is a whole number, not "two"' },
  { args: "reclaim a --notice -1", says: "--notice" },
  { args: "lose a --notice 3", says: "node lose has no --notice" },
  { args: "lose a b", says: '"b" is too much' },
  { args: "list a", says: '"a" is too much' },
])("node $args is refused", ({ args, says }) => {
  expect(() => parseNodeCommand(args.split(" ").filter(Boolean))).toThrow(says);
});

test("lists the nodes in columns", () => {
  const node = { gpus: 4, gpuResource: "nvidia.com/gpu", running: true };
  const nodes = [
    { ...node, name: "t4-0", gpuClass: "t4", spot: false },
    { ...node, name: "t4-spot-0", gpuClass: "t4", spot: true, goneInSeconds: 4.2 },
    { ...node, name: "plain", running: false, spot: false },
  ];
  expect(nodeReport({ verb: "status", done: "" }, { ok: true, seconds: 0, nodes }).split("\n")).toEqual([
    "NAME        CLASS   GPUS   RESOURCE         SPOT    STATE",
    "t4-0        t4      4      nvidia.com/gpu   false   running",
    "t4-spot-0   t4      4      nvidia.com/gpu   true    reclaimed, gone in 5 s",
    "plain               4      nvidia.com/gpu   false   lost",
  ]);
});

import { describe, expect, test } from "vitest";
import { formatOrder, parseOrder, type Order } from "./reaper-protocol.ts";

describe("the reaper's orders", () => {
  const orders: Order[] = [
    {
      order: "watch",
      process: { pid: 12, startedAt: "Tue Nov 24 06:33:00 2026", stopSignal: "SIGINT", graceSeconds: 2.5 },
    },
    { order: "forget", pid: 12 },
    { order: "remove-folder", folder: "/tmp/a folder" },
  ];

  test.each(orders)("$order survives the pipe", (order) => {
    expect(parseOrder(formatOrder(order))).toEqual(order);
  });

  test.each([
    ["an empty line", ""],
    ["an unknown word", "kill\t1"],
    ["a watch that was cut short", "watch\t12\tSIGTERM\t5"],
    ["a signal that is no request to stop", "watch\t12\tSIGWINCH\t5\tx"],
    ["a pid that would mean every process", "forget\t-1"],
    ["a relative folder", "remove-folder\ttmp"],
  ])("%s is no order", (_, line) => {
    expect(parseOrder(line)).toBeUndefined();
  });
});

/**
 * The reaper: one small process beside a launcher, in a session of its own, holding the other end of a pipe.
 * The launcher names over it every process group that it starts. When the pipe ends, the launcher has ended,
 * in whatever way; then whatever is still named is stopped in reverse order, and the reaper ends.
 */
import { rm } from "node:fs/promises";
import { createInterface } from "node:readline";
import { parseOrder, type Order, type WatchedProcess } from "./reaper-protocol.ts";
import { stopProcess } from "./stop-process.ts";

// A terminal's Ctrl-C or hang-up is for the launcher; the reaper follows the pipe alone.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => {});

const watched = new Map<number, WatchedProcess>();
const folders = new Set<string>();

for await (const line of createInterface({ input: process.stdin })) {
  const order = parseOrder(line);
  if (order !== undefined) follow(order);
}
for (const target of [...watched.values()].reverse()) await stopProcess(target, target);
for (const folder of folders) await rm(folder, { recursive: true, force: true });

function follow(order: Order): void {
  switch (order.order) {
    case "watch":
      watched.set(order.process.pid, order.process);
      return;
    case "forget":
      watched.delete(order.pid);
      return;
    case "remove-folder":
      folders.add(order.folder);
      return;
    default:
      order satisfies never;
  }
}

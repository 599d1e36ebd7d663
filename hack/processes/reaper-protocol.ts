import type { ProcessIdentity } from "./process-identity.ts";
import { STOP_SIGNALS, type StopManners } from "./stop-process.ts";

/**
 * What a launcher tells its reaper: one line of tab-separated words each. There is no answer: the order of the
 * pipe is enough, and the end of the pipe is the message that matters. (No zod here: the reaper stays small.)
 */
export type Order =
  | { readonly order: "watch"; readonly process: WatchedProcess }
  | { readonly order: "forget"; readonly pid: number }
  | { readonly order: "remove-folder"; readonly folder: string };

export type WatchedProcess = ProcessIdentity & StopManners;

export function formatOrder(order: Order): string {
  switch (order.order) {
    case "watch": {
      const { pid, startedAt, stopSignal, graceSeconds } = order.process;
      return [order.order, pid, stopSignal, graceSeconds, startedAt].join("\t");
    }
    case "forget":
      return [order.order, order.pid].join("\t");
    case "remove-folder":
      return [order.order, order.folder].join("\t");
    default:
      return order satisfies never;
  }
}

/** Undefined for a line that was cut short: its sender died while writing, and had not acted on it yet. */
export function parseOrder(line: string): Order | undefined {
  const [order = "", first = "", ...rest] = line.split("\t");
  switch (order) {
    case "watch":
      return parseWatch(Number(first), rest);
    case "forget":
      return isPid(Number(first)) ? { order, pid: Number(first) } : undefined;
    case "remove-folder":
      return first.startsWith("/") ? { order, folder: first } : undefined;
    default:
      return undefined;
  }
}

function parseWatch(pid: number, [signal, grace, startedAt]: readonly string[]): Order | undefined {
  const stopSignal = STOP_SIGNALS.find((known) => known === signal);
  const graceSeconds = Number(grace);
  if (!isPid(pid) || !stopSignal || !startedAt || !(graceSeconds >= 0)) return undefined;
  return { order: "watch", process: { pid, startedAt, stopSignal, graceSeconds } };
}

function isPid(pid: number): boolean {
  return Number.isSafeInteger(pid) && pid > 0;
}

import type { Exchange } from "./exchange.ts";
import type { Fault } from "./fault.ts";

/** The operator's writes by name, those of its port and its runtime's own two, and how a proxy tells them apart. */
const REQUESTS = {
  createJob: { method: "POST", path: /\/jobs$/ },
  createConfigMap: { method: "POST", path: /\/configmaps$/ },
  resizeJob: { method: "PATCH", path: /\/jobs\/[^/]+$/ },
  deleteJob: { method: "DELETE", path: /\/jobs\/[^/]+$/ },
  writeStatus: { method: "PATCH", path: /\/opaljobs\/[^/]+\/status$/ },
  deleteOpalJob: { method: "DELETE", path: /\/opaljobs\/[^/]+$/ },
  recordEvent: { method: "POST", path: /\/events$/ },
  renewLease: { method: "PUT", path: /\/leases\/[^/]+$/ },
} satisfies Readonly<Record<string, { readonly method: string; readonly path: RegExp }>>;
export type KillPoint = keyof typeof REQUESTS;

export interface Kill {
  readonly point: KillPoint;
  /** Before the server has heard of the write, or after it has done it, but before its answer is heard. */
  readonly when: "before" | "after";
}

/** Kills who writes there next, once. @param kill must end the process behind the proxy before it returns */
export function killAt({ point, when }: Kill, kill: () => void): Fault {
  const { method, path } = REQUESTS[point];
  let isDone = false;
  return {
    name: `kill ${when} ${point}`,
    request(exchange: Exchange) {
      if (isDone || exchange.method !== method || !path.test(exchange.path)) return undefined;
      isDone = true;
      if (when === "after") return { do: "lose-answer", carriedOut: kill };
      kill();
      return { do: "swallow" };
    },
  };
}

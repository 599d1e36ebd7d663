import type { WritePoint } from "../../operator/cluster/port.ts";
import type { Exchange } from "./exchange.ts";
import type { Fault } from "./fault.ts";

/** Every write of the operator, by name: its port's, and its runtime's own two. */
export type KillPoint = WritePoint | "recordEvent" | "renewLease";

/** How a proxy tells them apart. */
const REQUESTS: Readonly<Record<KillPoint, { readonly method: string; readonly path: RegExp }>> = {
  createJob: { method: "POST", path: /\/jobs$/ },
  createConfigMap: { method: "POST", path: /\/configmaps$/ },
  resizeJob: { method: "PATCH", path: /\/jobs\/[^/]+$/ },
  deleteJob: { method: "DELETE", path: /\/jobs\/[^/]+$/ },
  failPod: { method: "PATCH", path: /\/pods\/[^/]+\/status$/ },
  deletePod: { method: "DELETE", path: /\/pods\/[^/]+$/ },
  writeStatus: { method: "PUT", path: /\/opaljobs\/[^/]+\/status$/ },
  deleteOpalJob: { method: "DELETE", path: /\/opaljobs\/[^/]+$/ },
  writePoolStatus: { method: "PUT", path: /\/gpupools\/[^/]+\/status$/ },
  writeQueueStatus: { method: "PUT", path: /\/opalqueues\/[^/]+\/status$/ },
  recordEvent: { method: "POST", path: /\/events$/ },
  renewLease: { method: "PUT", path: /\/leases\/[^/]+$/ },
};

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

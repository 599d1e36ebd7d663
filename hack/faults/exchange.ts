/** A request as far as a fault needs to know it: from its first line and headers alone. */
export interface Exchange {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly isWatch: boolean;
  /** Creates, updates, patches and deletes; not the lease that elects a leader, see `isLease`. */
  readonly isWrite: boolean;
  readonly isLease: boolean;
  /** The User-Agent: tells processes apart that share a proxy. */
  readonly client: string;
}

export function exchangeOf(request: {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: { readonly "user-agent"?: string | undefined };
}): Exchange {
  const method = request.method ?? "GET";
  const { pathname: path, searchParams } = new URL(request.url ?? "/", "https://api");
  const isLease = path.startsWith("/apis/coordination.k8s.io/");
  return {
    method,
    path,
    isWatch: method === "GET" && ["true", "1"].includes(searchParams.get("watch") ?? ""),
    isWrite: method !== "GET" && !isLease,
    isLease,
    client: request.headers["user-agent"] ?? "",
  };
}

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { ANNOTATIONS } from "#crds/names.ts";
import type { ShardProgress } from "#crds/runner-report.ts";

export interface PodAccess {
  readonly apiServer: { readonly host: string; readonly port: number };
  /** Folder of the pod's service account: `token` and `ca.crt`. */
  readonly serviceAccountDir: string;
  readonly pod: { readonly name: string; readonly namespace: string };
}

const TIMEOUT_MILLIS = 5_000;

/**
 * Writes the progress into the runner's own pod (merge patch of one annotation). Token and CA are read each
 * time, because Kubernetes replaces the token before it expires.
 * @throws {Error} when the API server does not answer with success.
 */
export async function annotateProgress(access: PodAccess, progress: ShardProgress): Promise<void> {
  const { apiServer, serviceAccountDir, pod } = access;
  const [token, ca] = await Promise.all([
    readFile(join(serviceAccountDir, "token"), "utf8"),
    readFile(join(serviceAccountDir, "ca.crt")),
  ]);
  const annotations = { [ANNOTATIONS.progress]: JSON.stringify(progress) };
  const body = JSON.stringify({ metadata: { annotations } });
  const path = `/api/v1/namespaces/${encodeURIComponent(pod.namespace)}/pods/${encodeURIComponent(pod.name)}`;
  const patch = request({
    host: apiServer.host,
    port: apiServer.port,
    path,
    method: "PATCH",
    ca,
    signal: AbortSignal.timeout(TIMEOUT_MILLIS),
    headers: {
      authorization: `Bearer ${token.trim()}`,
      "content-type": "application/merge-patch+json",
      "content-length": Buffer.byteLength(body),
    },
  });
  patch.end(body);
  const [answer] = (await once(patch, "response")) as [IncomingMessage];
  const content = await text(answer);
  if (answer.statusCode !== 200) {
    throw new Error(`PATCH of the pod answered ${answer.statusCode}: ${content.slice(0, 300)}`);
  }
}

/**
 * One watch request to the API server. The client library's own Watch can miss the reset of a connection that
 * is just being made, and then waits in silence.
 */
import type { IncomingMessage } from "node:http";
import { type RequestOptions, request } from "node:https";
import type { KubeConfig } from "@kubernetes/client-node";

export interface WatchStreamOptions {
  /** Path of the collection, with leading slash. */
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** A connection without a byte for so long is taken for dead; bookmarks come once a minute. */
  readonly silenceSeconds: number;
  readonly signal: AbortSignal;
  /** Gets each line of the answer, parsed. */
  readonly onObject: (object: unknown) => void;
}

const LONGEST_REFUSAL = 2000;

/**
 * Resolves when the server or the signal ends the watch.
 * @throws when the connection breaks or falls silent, or the server refuses.
 */
export async function streamWatch(kubeConfig: KubeConfig, options: WatchStreamOptions): Promise<void> {
  try {
    const response = await open(kubeConfig, options);
    if (response.statusCode !== 200) throw await refusal(response);
    let rest = "";
    for await (const chunk of response.setEncoding("utf8")) {
      const lines = (rest + String(chunk)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) options.onObject(JSON.parse(line));
    }
  } catch (error) {
    if (!options.signal.aborted) throw error;
  }
}

async function open(
  kubeConfig: KubeConfig,
  { path, query, silenceSeconds, signal }: WatchStreamOptions,
): Promise<IncomingMessage> {
  const server = kubeConfig.getCurrentCluster()?.server;
  if (!server) throw new Error("the kubeconfig has no current cluster");
  const access: RequestOptions = {};
  await kubeConfig.applyToHTTPSOptions(access);
  signal.throwIfAborted();
  const parameters = new URLSearchParams({ ...query, watch: "true" }).toString();
  const url = `${server.replace(/\/$/, "")}${path}?${parameters}`;
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { ...access, signal }, resolve);
    outgoing.setTimeout(silenceSeconds * 1000, () =>
      outgoing.destroy(new Error(`the watch was silent for ${silenceSeconds} s`)),
    );
    outgoing.once("error", reject);
    outgoing.end();
  });
}

async function refusal(response: IncomingMessage): Promise<Error> {
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) {
    text += String(chunk);
    if (text.length > LONGEST_REFUSAL) break;
  }
  return new Error(`the watch was refused: ${response.statusCode} ${text.slice(0, LONGEST_REFUSAL)}`);
}

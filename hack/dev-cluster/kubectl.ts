import { spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { text } from "node:stream/consumers";

export interface KubectlOptions {
  /** Whose kubeconfig; default admin. */
  readonly identity?: string;
  /** For `-f -`. */
  readonly input?: string;
  /** Ends kubectl, a `logs -f` for example. */
  readonly signal?: AbortSignal;
}

export interface KubectlResult {
  /** Exit code, null when it was ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface RunKubectl extends Omit<KubectlOptions, "identity"> {
  readonly kubeconfig: string;
  /** The cluster's folder. */
  readonly dir: string;
}

/** Runs kubectl to its end. */
export async function runKubectl(
  binary: string,
  args: readonly string[],
  { kubeconfig, dir, input, signal }: RunKubectl,
): Promise<KubectlResult> {
  const child = spawn(binary, args, { stdio: ["pipe", "pipe", "pipe"], env: kubectlEnv(kubeconfig, dir) });
  const kill = () => child.kill();
  signal?.addEventListener("abort", kill);
  child.stdin.on("error", () => {}); // kubectl may end without reading all of it: its exit code tells
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  signal?.removeEventListener("abort", kill);
  return { code, stdout, stderr };
}

/**
 * kubectl remembers what a server offers by its address, for hours: the next cluster on the same port would be taken
 * for this one. So the memory is the cluster's own.
 */
export function kubectlEnv(kubeconfig: string, dir: string): NodeJS.ProcessEnv {
  return { ...process.env, KUBECONFIG: kubeconfig, KUBECACHEDIR: join(dir, "kubectl-cache") };
}

/** The Go command, run in the dev cluster's module or another one with what every call of it must share. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";

export const SOURCES = import.meta.dirname;

/** These decide what Go's own cache can use again: a test with others would compile Kubernetes once more. */
export const BUILD_FLAGS = ["-buildvcs=false", "-trimpath"];

const KUBERNETES = { gitVersion: "v1.35.4", gitMajor: "1", gitMinor: "35" };
const versions = Object.entries(KUBERNETES).map(
  ([name, value]) => `-X k8s.io/component-base/version.${name}=${value}`,
);
export const LINK_FLAGS = [`-ldflags=-s -w ${versions.join(" ")}`];

/** Fewer collections make the compiler a fifth faster for some hundred megabytes more. */
export const GO_ENV = { CGO_ENABLED: "0", GOGC: "400", GOWORK: "off" };

export interface GoResult {
  /** Exit code, null when it was ended by a signal or is missing. */
  readonly code: number | null;
  /** There is no Go on the PATH. */
  readonly missing: boolean;
}

/** Lines of stdout and stderr go to one callback. */
export function runGo(
  args: readonly string[],
  onLine: (line: string) => void,
  cwd: string = SOURCES,
): Promise<GoResult> {
  return new Promise((resolve, reject) => {
    const child = spawn("go", args, {
      cwd,
      env: { ...process.env, ...GO_ENV },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const stream of [child.stdout, child.stderr]) createInterface(stream).on("line", onLine);
    child.on("error", (error: NodeJS.ErrnoException) =>
      error.code === "ENOENT" ? resolve({ code: null, missing: true }) : reject(error),
    );
    child.on("close", (code) => resolve({ code, missing: false }));
  });
}

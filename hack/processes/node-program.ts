import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cacheDir } from "../cache/cache-dir.ts";

/**
 * A TypeScript program of this checkout, run by the Node that runs us. With the compile cache it need not strip
 * types and compile again: every start is 60 ms and every process 12 MB cheaper.
 * @param entry the URL of the program's file
 */
export function nodeProgram(entry: URL, args: readonly string[] = []): NodeProgram {
  return {
    command: process.execPath,
    args: [fileURLToPath(entry), ...args],
    env: { NODE_COMPILE_CACHE: join(cacheDir(process.env), "node-compile-cache") },
  };
}

export interface NodeProgram {
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

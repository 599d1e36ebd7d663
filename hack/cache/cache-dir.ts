import { homedir } from "node:os";
import { join } from "node:path";

/**
 * The folder for what is made once and kept: the dev cluster's binary, model weights, named clusters. It need not exist.
 * @returns `OPAL_CACHE`, else `opal` in the user's cache directory; always absolute when those are
 */
export function cacheDir(env: Readonly<Record<string, string | undefined>>): string {
  const chosen = env["OPAL_CACHE"];
  if (chosen) return chosen;
  const home = env["HOME"] ?? homedir();
  const standard = process.platform === "darwin" ? join(home, "Library/Caches") : join(home, ".cache");
  return join(env["XDG_CACHE_HOME"] || standard, "opal");
}

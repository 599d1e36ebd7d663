/**
 * `npm run clean:cache`: removes what OPAL keeps in its cache folder and can make again. Named clusters hold what
 * somebody put there, so they stay: `npm run cluster -- down --delete` removes one.
 */
import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheDir } from "./cache-dir.ts";

/** By name, and nothing else: OPAL_CACHE may point to a folder that holds more than OPAL's. */
const MADE_AGAIN = ["dev-cluster", "eval", "models", "node-compile-cache", "peers"];

const dir = cacheDir(process.env);
const names = await readdir(dir).catch(() => []);
const removed = names.filter((name) => MADE_AGAIN.includes(name));
for (const name of removed) await rm(join(dir, name), { recursive: true, force: true });
console.log(removed.length > 0 ? `removed ${removed.join(", ")} from ${dir}` : `nothing to remove in ${dir}`);

import { expect, test } from "vitest";
import { cacheDir } from "./cache-dir.ts";

test.each([
  { name: "OPAL_CACHE wins", env: { OPAL_CACHE: "/big", XDG_CACHE_HOME: "/x", HOME: "/h" }, want: "/big" },
  { name: "an empty OPAL_CACHE is none", env: { OPAL_CACHE: "", XDG_CACHE_HOME: "/x" }, want: "/x/opal" },
  { name: "the user's cache directory", env: { XDG_CACHE_HOME: "/x", HOME: "/h" }, want: "/x/opal" },
])("$name", ({ env, want }) => {
  expect(cacheDir(env)).toBe(want);
});

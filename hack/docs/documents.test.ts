/** What the documents say exists, exists: scripts, files and links. The kubectl session is run by its own test. */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));
const tracked = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
  cwd: root,
});
const documents = tracked
  .toString()
  .split("\n")
  .filter((path) => path.endsWith(".md") && existsSync(join(root, path)));
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  scripts: Record<string, string>;
};

describe.each(documents)("%s", (path) => {
  const text = readFileSync(join(root, path), "utf8");

  test("names only scripts that package.json has", () => {
    const named = [...text.matchAll(/npm run ([a-z:-]+)/g)].map(([, script]) => script ?? "");
    expect(named.filter((script) => !(script in scripts))).toEqual([]);
  });

  test("links only to files that are there", () => {
    const links = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target]) => target ?? "");
    const local = links.filter((target) => !/^[a-z]+:/.test(target));
    expect(local.filter((target) => !existsSync(join(root, dirname(path), target)))).toEqual([]);
  });

  test("tells nothing of a machine that it was written on", () => {
    expect(text).not.toMatch(/\/(home|root|Users|work)\//);
  });
});

test("every script of package.json runs a file that is there", () => {
  for (const command of Object.values(scripts)) {
    const files = command.match(/hack\/[\w/.-]+/g) ?? [];
    expect(files.filter((file) => !existsSync(join(root, file)))).toEqual([]);
  }
});

/**
 * Writes every generated file, or with --check compares them and fails on a difference.
 * One table: a new generated file is one more row.
 */
import { readFile, writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { opalJobCrd } from "../crds/crd-manifest.ts";

const root = new URL("../", import.meta.url);

const generated: readonly { path: string; content: () => string }[] = [
  {
    path: "crds/opaljob.yaml",
    content: () =>
      `# Made by "npm run gen" from crds/opaljob.ts: edit that.\n${stringify(opalJobCrd(), { lineWidth: 110 })}`,
  },
];

const check = process.argv.includes("--check");
const stale: string[] = [];
for (const { path, content } of generated) {
  const wanted = content();
  const present = await readFile(new URL(path, root), "utf8").catch(() => "");
  if (present === wanted) continue;
  stale.push(path);
  if (!check) await writeFile(new URL(path, root), wanted);
}
if (check && stale.length > 0) {
  console.error(`out of date: ${stale.join(", ")}; run "npm run gen"`);
  process.exitCode = 1;
} else {
  console.log(
    check
      ? `${generated.length} generated files are up to date`
      : `written: ${stale.join(", ") || "nothing new"}`,
  );
}

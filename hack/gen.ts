/**
 * Writes every generated file, or with --check compares them and fails on a difference.
 * One table: a new generated file is one more row.
 */
import { readFile, writeFile } from "node:fs/promises";
import { stringify } from "yaml";
import { crdManifests } from "../crds/crd-manifest.ts";

const root = new URL("../", import.meta.url);

const manifests = crdManifests();
const crdFile = (name: string, manifest: object) => ({
  path: `crds/${name}.yaml`,
  content: () =>
    `# Made by "npm run gen" from crds/${name}.ts: edit that.\n${stringify(manifest, { lineWidth: 110 })}`,
});

const generated: readonly { path: string; content: () => string }[] = [
  crdFile("opaljob", manifests.opaljobs),
  crdFile("gpupool", manifests.gpupools),
  crdFile("opalqueue", manifests.opalqueues),
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

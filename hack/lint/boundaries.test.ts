/** The linter, not memory, keeps the house's walls: one violation of each kind is planted and must be caught. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Planted {
  name: string;
  file: string;
  code: string;
  /** The rule that must speak; undefined: nothing may. */
  rule?: string;
}

const planted: Planted[] = [
  {
    name: "crds imports something other than zod",
    file: "crds/a.ts",
    code: `import fs from "node:fs";\nexport const a = fs;`,
    rule: "no-restricted-imports",
  },
  {
    name: "crds imports another folder",
    file: "crds/b.ts",
    code: `import { x } from "../operator/x.ts";\nexport const a = x;`,
    rule: "no-restricted-imports",
  },
  {
    name: "crds reads the environment",
    file: "crds/c.ts",
    code: `export const a = process;`,
    rule: "no-restricted-globals",
  },
  {
    name: "crds imports zod and itself",
    file: "crds/ok.ts",
    code: `import * as z from "zod";\nimport { d } from "./d.ts";\nexport const a = [z, d];`,
  },
  {
    name: "operator imports api",
    file: "operator/a.ts",
    code: `import { x } from "../api/x.ts";\nexport const a = x;`,
    rule: "no-restricted-imports",
  },
  {
    name: "operator imports a database",
    file: "operator/b.ts",
    code: `import postgres from "postgres";\nexport const a = postgres;`,
    rule: "no-restricted-imports",
  },
  {
    name: "operator imports hack",
    file: "operator/c.ts",
    code: `import { x } from "../hack/x.ts";\nexport const a = x;`,
    rule: "no-restricted-imports",
  },
  {
    name: "the controller runtime learns an OPAL word",
    file: "operator/runtime/a.ts",
    code: `import { LABELS } from "#crds/names.ts";\nexport const a = LABELS;`,
    rule: "no-restricted-imports",
  },
  {
    name: "a decision logs",
    file: "operator/reconcile/a.ts",
    code: `import { pino } from "pino";\nexport const a = pino;`,
    rule: "no-restricted-imports",
  },
  {
    name: "a decision calls the cluster",
    file: "operator/reconcile/b.ts",
    code: `import { x } from "../cluster/x.ts";\nexport const a = x;`,
    rule: "no-restricted-imports",
  },
  {
    name: "a decision reads the clock",
    file: "operator/reconcile/c.ts",
    code: `export const a = Date.now();`,
    rule: "no-restricted-globals",
  },
  {
    name: "a decision throws dice",
    file: "operator/schedule/a.ts",
    code: `export const a = Math.random();`,
    rule: "no-restricted-properties",
  },
  {
    name: "a decision names a Kubernetes type",
    file: "operator/reconcile/ok.ts",
    code: `import type { V1Job } from "@kubernetes/client-node";\nimport { LABELS } from "#crds/names.ts";\nexport const a = (job: V1Job) => [job, LABELS];`,
  },
  {
    name: "a route talks to the database itself",
    file: "api/routes/a.ts",
    code: `import postgres from "postgres";\nexport const a = postgres;`,
    rule: "no-restricted-imports",
  },
  {
    name: "the store knows HTTP",
    file: "api/store/a.ts",
    code: `import { Hono } from "hono";\nexport const a = Hono;`,
    rule: "no-restricted-imports",
  },
  {
    name: "api imports the runner",
    file: "api/a.ts",
    code: `import { x } from "../gpu-runner/x.ts";\nexport const a = x;`,
    rule: "no-restricted-imports",
  },
  {
    name: "the runner imports the operator",
    file: "gpu-runner/a.ts",
    code: `import { x } from "../operator/x.ts";\nexport const a = x;`,
    rule: "no-restricted-imports",
  },
  {
    name: "the picture maths imports a codec",
    file: "gpu-runner/pipeline/a.ts",
    code: `import sharp from "sharp";\nexport const a = sharp;`,
    rule: "no-restricted-imports",
  },
  {
    name: "a service reads its environment outside main",
    file: "operator/d.ts",
    code: `export const a = process.env["HOME"];`,
    rule: "no-process-env",
  },
  {
    name: "main reads the environment",
    file: "operator/main.ts",
    code: `export const a = process.env["HOME"];`,
  },
  {
    name: "two files import each other",
    file: "operator/cycle-a.ts",
    code: `import { b } from "./cycle-b.ts";\nexport const a = () => b();`,
    rule: "no-cycle",
  },
  {
    name: "(the other half of the cycle)",
    file: "operator/cycle-b.ts",
    code: `import { a } from "./cycle-a.ts";\nexport const b = (): unknown => a();`,
    rule: "no-cycle",
  },
  {
    name: "a promise floats",
    file: "operator/e.ts",
    code: `const later = async () => 1;\nexport const a = () => {\n  later();\n};`,
    rule: "no-floating-promises",
  },
  {
    name: "a switch forgets a case",
    file: "operator/f.ts",
    code: `export const a = (x: "one" | "two") => {\n  switch (x) {\n    case "one":\n      return 1;\n  }\n  return 2;\n};`,
    rule: "switch-exhaustiveness-check",
  },
];

interface Diagnostic {
  code: string;
  filename: string;
}

let folder: string;
let found: Diagnostic[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "opal-lint-"));
  for (const name of [".oxlintrc.json", "tsconfig.json", "package.json"])
    await cp(join(root, name), join(folder, name));
  await writeFile(join(folder, ".gitignore"), "node_modules\n");
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  for (const { file, code } of planted) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), `${code}\n`);
  }
  const output = await new Promise<string>((resolve) => {
    const oxlint = join(root, "node_modules/.bin/oxlint");
    execFile(oxlint, ["--type-aware", "-f", "json"], { cwd: folder, maxBuffer: 1 << 24 }, (_, stdout) =>
      resolve(stdout),
    );
  });
  found = (JSON.parse(output) as { diagnostics: Diagnostic[] }).diagnostics;
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the linter", () => {
  test.each(planted)("$name", ({ file, rule }) => {
    const here = found.filter((d) => d.filename === file).map((d) => d.code);
    if (rule) expect(here.join(" ")).toContain(`(${rule})`);
    else expect(here).toEqual([]);
  });
});

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { BUILD_FLAGS, runGo } from "./go.ts";

const SHOWN_LINES = 20;

export interface Compilation {
  /** For messages: "the dev cluster". */
  readonly what: string;
  /** Folder of the Go module. */
  readonly module: string;
  /** Paths of packages, or of single files, by the name of the program that is made of each. */
  readonly packages: Readonly<Record<string, string>>;
  /** Of `go build`, beside those that all builds share. */
  readonly flags: readonly string[];
  /** Where the programs are put; made when missing. */
  readonly folder: string;
  /** Called with a short text, often. */
  readonly onProgress: (text: string) => void;
}

/** Compiles programs of one module. @throws {Error} with Go's words */
export async function compile(compilation: Compilation): Promise<void> {
  const { what, module, packages, flags, folder, onProgress } = compilation;
  onProgress("loading its Go modules");
  await mkdir(folder, { recursive: true });
  const total = await countPackages(compilation);
  let compiled = 0;
  const tail: string[] = [];
  for (const [program, path] of Object.entries(packages)) {
    const { code } = await runGo(
      ["build", ...BUILD_FLAGS, ...flags, "-v", "-o", join(folder, program), path],
      (line) => {
        tail.push(line);
        if (tail.length > SHOWN_LINES) tail.shift();
        compiled++;
        onProgress(compiled < total ? `compiled ${compiled} of ${total} packages` : "linking");
      },
      module,
    );
    if (code !== 0) throw new Error(`Building ${what} failed:\n${tail.join("\n")}`);
  }
}

/** Also downloads the modules. Packages that Go's own cache holds are counted though they will not be compiled. */
async function countPackages({ what, module, packages, onProgress }: Compilation): Promise<number> {
  let count = 0;
  let downloads = 0;
  const problems: string[] = [];
  const { code } = await runGo(
    ["list", "-deps", ...Object.values(packages)],
    (line) => {
      if (line.startsWith("go: downloading")) onProgress(`downloaded ${++downloads} modules`);
      else if (line.startsWith("go: ")) problems.push(line);
      else count++;
    },
    module,
  );
  if (code !== 0) {
    throw new Error(
      `The Go modules of ${what} could not be loaded (is the network there?):\n${problems.join("\n")}`,
    );
  }
  return count;
}

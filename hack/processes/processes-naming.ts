import { readdir, readFile } from "node:fs/promises";

/**
 * Processes whose command line or environment names `word`, this process and its parents aside. Linux only: it
 * reads /proc.
 */
export async function processesNaming(word: string): Promise<{ pid: number; command: string }[]> {
  const found: { pid: number; command: string }[] = [];
  for (const name of await readdir("/proc")) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    const [command, environment] = await Promise.all([read(pid, "cmdline"), read(pid, "environ")]);
    if (command.includes(word) || environment.includes(word)) found.push({ pid, command });
  }
  return found;
}

/** A process that has ended meanwhile, or is not ours to read, names nothing. */
async function read(pid: number, file: "cmdline" | "environ"): Promise<string> {
  const text = await readFile(`/proc/${pid}/${file}`, "utf8").catch(() => "");
  return text.replaceAll("\0", " ").trim();
}

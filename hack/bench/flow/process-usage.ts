/** What processes have used, from /proc. Linux only. */
import { readFile } from "node:fs/promises";

const TICKS_PER_SECOND = 100;
/** In /proc/PID/stat, counted from the field behind the name in brackets. */
const USER_TICKS = 11;
const CHILDREN_SYSTEM_TICKS = 14;

/** CPU time of a process so far, that of its ended children included. */
export async function cpuSeconds(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(USER_TICKS, CHILDREN_SYSTEM_TICKS + 1).map(Number);
  return ticks.reduce((sum, one) => sum + one, 0) / TICKS_PER_SECOND;
}

/** The most memory that a process has held so far, 10⁶ bytes. */
export async function peakMegabytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return (Number(/^VmHWM:\s+(\d+) kB/m.exec(status)?.[1]) * 1024) / 1e6;
}

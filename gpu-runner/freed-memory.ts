/**
 * What glibc does with memory that is freed. Left alone it raises the size from which a block is the system's own, up
 * to 32 MiB, and keeps what is smaller: hundreds of MiB that only opening a model needed, and pictures' planes in
 * places where nothing else fits. With a fixed size they are given back. It is read when a process starts.
 */
const SETTING = "MALLOC_MMAP_THRESHOLD_";
/** From so many bytes on a block is given back as soon as it is freed: weights and planes, not small change. */
const THRESHOLD = 2 ** 20;

/** The environment to start anew in, or undefined where somebody has settled it. Pure. */
export function environmentGivingBack(environment: NodeJS.ProcessEnv): NodeJS.ProcessEnv | undefined {
  if (environment[SETTING] !== undefined) return undefined;
  return { ...environment, [SETTING]: String(THRESHOLD) };
}

/** Starts the program anew, in the same process, unless it gives memory back; what comes after it is then not run. */
export function givingMemoryBack(environment: NodeJS.ProcessEnv): void {
  const wanted = environmentGivingBack(environment);
  if (!wanted || process.platform !== "linux") return;
  const [program, ...args] = process.argv;
  process.execve?.(process.execPath, [program ?? process.execPath, ...process.execArgv, ...args], wanted);
}

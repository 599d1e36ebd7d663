/** The runner's start: what only a process' own start can settle, before anything else is loaded. */
import { givingMemoryBack } from "./freed-memory.ts";

givingMemoryBack(process.env);
const { runPod } = await import("./pod.ts");
await runPod(process.env);

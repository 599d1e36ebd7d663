import type { Share } from "../reconcile/share.ts";
import { compareJobs } from "../schedule/order.ts";
import type { JobState } from "../schedule/world.ts";

/** Jobs without GPUs that may share a child, by what they may share it with. */
export interface ShareIndex {
  /** Undefined takes the job out. */
  put(key: string, waiting: { readonly share: Share; readonly state: JobState } | undefined): void;
  /** Items of all jobs of this kind. */
  items(kind: string): number;
  /** Keys of the first so many of them, in the order of their queue. */
  first(kind: string, count: number): string[];
}

interface Line {
  items: number;
  readonly states: JobState[];
}

export function createShareIndex(): ShareIndex {
  const lines = new Map<string, Line>();
  const known = new Map<string, { readonly share: Share; readonly state: JobState }>();

  function takeOut(key: string): void {
    const before = known.get(key);
    const line = before && lines.get(before.share.key);
    if (!before || !line) return;
    known.delete(key);
    line.items -= before.share.items;
    line.states.splice(placeIn(line, before.state), 1);
    if (line.states.length === 0) lines.delete(before.share.key);
  }

  return {
    put(key, waiting) {
      takeOut(key);
      if (!waiting) return;
      const { share, state } = waiting;
      const line = lines.get(share.key) ?? { items: 0, states: [] };
      lines.set(share.key, line);
      known.set(key, waiting);
      line.items += share.items;
      line.states.splice(placeIn(line, state), 0, state);
    },
    items: (kind) => lines.get(kind)?.items ?? 0,
    first: (kind, count) =>
      lines
        .get(kind)
        ?.states.slice(0, count)
        .map(({ key }) => key) ?? [],
  };
}

/** Where it stands, or would stand: uids make the order total. */
function placeIn({ states }: Line, state: JobState): number {
  let low = 0;
  let high = states.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    const one = states[middle];
    if (one && compareJobs(one, state) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

import type { Placement, Plan } from "../schedule/plan.ts";

/**
 * Reasons of more waiting jobs than this are not compared after each plan: one arrival moves them all by a
 * place. Those look again by themselves, the sooner the nearer they stand to the front.
 */
const MAX_COMPARED = 500;

/** Jobs whose part of the plan has changed. */
export interface Difference {
  readonly key: string;
  /** Its GPUs, or the kind of thing that blocks it, are others; not only its place and the words. */
  readonly isPressing: boolean;
}

interface Told {
  readonly pressing: string;
  readonly words: string;
}

/** A waiting job whose words were not looked at. */
const WAITS: Told = { pressing: "waiting", words: "" };

export interface PlanComparer {
  /** @param jobs uids of the jobs that the plan was made for, by key */
  differences(plan: Plan, jobs: ReadonlyMap<string, string>): Difference[];
}

/** Compares each plan with the one before, which need not answer any more by then. */
export function createPlanComparer(): PlanComparer {
  let told = new Map<string, Told>();
  return {
    differences(plan, jobs) {
      const compareAll = jobs.size <= MAX_COMPARED;
      const next = new Map<string, Told>();
      const found: Difference[] = [];
      for (const [key, uid] of jobs) {
        const was = told.get(key);
        const isWorthALook = compareAll || plan.admitted.has(uid);
        const is = isWorthALook ? digestOf(plan.placementOf(uid)) : WAITS;
        next.set(key, is);
        if (was?.pressing !== is.pressing) found.push({ key, isPressing: true });
        else if (was.words !== is.words) found.push({ key, isPressing: false });
      }
      told = next;
      return found;
    },
  };
}

function digestOf(placement: Placement | undefined): Told {
  if (placement?.kind === "admitted") {
    return { pressing: `${placement.gpus} of ${placement.pool}`, words: "" };
  }
  if (!placement) return { pressing: "none", words: "" };
  return {
    pressing: `waiting ${placement.blockedOn}`,
    words: `${placement.position} ${placement.because}`,
  };
}

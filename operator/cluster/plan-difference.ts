import { isNearHead } from "../reconcile/status-write.ts";
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
  /** It has or had GPUs. */
  readonly hasGpus: boolean;
  /** It waits among the first of its queue. */
  readonly isNearHead: boolean;
}

/** Pressing: `undefined` while it waits among so many that the reason was not looked at. */
interface Told {
  readonly pressing: string | undefined;
  readonly words: string;
  readonly isAdmitted: boolean;
  readonly isNearHead?: boolean;
}

const WAITS: Told = { pressing: undefined, words: "", isAdmitted: false };

/** What has changed in the world since the plan before, by uid. */
export interface News {
  readonly changed: Iterable<string>;
  readonly gone: Iterable<string>;
}

export interface PlanComparer {
  /** @param keys of all the jobs that the plan was made for, by uid */
  differences(plan: Plan, keys: ReadonlyMap<string, string>, news: News): Difference[];
}

/** Compares each plan with the one before, which need not answer any more by then. */
export function createPlanComparer(): PlanComparer {
  const told = new Map<string, Told>();
  const holders = new Set<string>();

  function tell(uid: string, is: Told): Pick<Difference, "isPressing" | "hasGpus"> & { isOther: boolean } {
    const was = told.get(uid);
    told.set(uid, is);
    if (is.isAdmitted) holders.add(uid);
    else holders.delete(uid);
    if (!was) return { isOther: true, isPressing: true, hasGpus: is.isAdmitted };
    return {
      hasGpus: was.isAdmitted || is.isAdmitted,
      isOther: was.pressing !== is.pressing || was.words !== is.words,
      isPressing: isPressing(was, is),
    };
  }

  return {
    differences(plan, keys, { changed, gone }) {
      for (const uid of gone) {
        told.delete(uid);
        holders.delete(uid);
      }
      const isAllCompared = keys.size <= MAX_COMPARED;
      const looked = isAllCompared ? keys.keys() : new Set([...holders, ...plan.admitted.keys(), ...changed]);
      const found: Difference[] = [];
      for (const uid of looked) {
        const key = keys.get(uid);
        if (key === undefined) continue;
        const isWorthALook = isAllCompared || plan.admitted.has(uid);
        const is = isWorthALook ? digestOf(plan.placementOf(uid)) : WAITS;
        const { isOther, ...how } = tell(uid, is);
        if (isOther) found.push({ key, ...how, isNearHead: is.isNearHead ?? false });
      }
      return found;
    },
  };
}

/** What blocks a job is compared only when it was looked at both times. */
function isPressing(was: Told, is: Told): boolean {
  if (was.isAdmitted !== is.isAdmitted) return true;
  const isUnknown = was.pressing === undefined || is.pressing === undefined;
  return !isUnknown && was.pressing !== is.pressing;
}

function digestOf(placement: Placement | undefined): Told {
  if (placement?.kind === "admitted") {
    return { pressing: `${placement.gpus} of ${placement.pool}`, words: "", isAdmitted: true };
  }
  if (!placement) return { pressing: "none", words: "", isAdmitted: false };
  return {
    pressing: `waiting ${placement.blockedOn}`,
    words: `${placement.position} ${placement.because}`,
    isAdmitted: false,
    isNearHead: isNearHead(placement.position),
  };
}

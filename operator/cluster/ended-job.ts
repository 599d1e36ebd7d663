import { isFinished } from "#crds/conditions.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import { sharing } from "./equal-parts.ts";

/**
 * What is kept of a job that has its final verdict: who it is, what was asked for all its items, and that it has
 * ended. Its status is its own record then, which nobody here reads or writes again; with thousands of ended jobs
 * it would be most of the memory. Others are given back as they are.
 */
export function withoutRecordIfEnded(job: OpalJob): OpalJob {
  const { metadata, spec, status } = job;
  const end = status.conditions?.find((condition) => isFinished([condition]));
  if (!end) return job;
  const { attempts, completionTime } = status;
  const { items: _, ...forAll } = spec;
  return {
    metadata,
    spec: wishes(forAll),
    status: {
      conditions: verdict([
        { ...end, message: "", observedGeneration: undefined, lastTransitionTime: NEVER },
      ]),
      ...(attempts !== undefined && { attempts }),
      ...(completionTime !== undefined && { completionTime }),
    },
  };
}

/** Nobody asks when: verdicts without their times are equal, and kept once. */
const NEVER = new Date(0).toISOString();

const wishes = sharing<OpalJob["spec"]>();
const verdict = sharing<NonNullable<OpalJob["status"]["conditions"]>>();

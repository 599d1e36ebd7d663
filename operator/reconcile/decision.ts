import type { Reason } from "#crds/conditions.ts";
import type { JobManifest } from "./desired-job.ts";
import type { Attempt } from "./manifest.ts";
import type { PodFailure } from "./failures/evidence.ts";
import type { ObservedChild, ObservedPod } from "./observed.ts";

/** The one change that a pass makes to the children, or to the OpalJob's existence. */
export type Action =
  | { readonly do: "nothing" }
  | {
      readonly do: "launch";
      readonly pool: string;
      readonly attempt: Attempt;
      readonly manifest: JobManifest;
      /** Keys of waiting jobs that ride along: the manifest is a shared child's then. */
      readonly passengers?: readonly string[];
    }
  | { readonly do: "restore-config-map"; readonly child: ObservedChild }
  | { readonly do: "resize"; readonly child: ObservedChild; readonly parallelism: number }
  | { readonly do: "stop"; readonly child: ObservedChild }
  /** Ends a pod whose node does not answer, so that Kubernetes replaces it. */
  | { readonly do: "replace-lost-pod"; readonly pod: ObservedPod; readonly atMs: number }
  /** Ends a pod that does not start, so that Kubernetes tries it again, elsewhere perhaps. */
  | { readonly do: "replace-stuck-pod"; readonly pod: ObservedPod }
  | { readonly do: "delete-opaljob" };

/** The job's end: a condition that never changes again. */
export interface Verdict {
  readonly type: "Complete" | "Failed";
  readonly reason: Reason;
  readonly message: string;
  /** What becomes of items that have no verdict of their own: a finished job leaves none without. */
  readonly rest?: PodFailure;
}

export interface Decision {
  readonly action: Action;
  readonly verdict?: Verdict;
  /** Leave the status as it is: what it says is final, or nobody will read it. */
  readonly keepStatus?: true;
  /** In one sentence, for people: log line and event. */
  readonly because: string;
  /** GPUs are taken away by the plan's will, and not because their shards have ended: how many, in one sentence. */
  readonly withdrawal?: string;
  /** Look again after so long even if nothing changes. */
  readonly afterMs?: number;
}

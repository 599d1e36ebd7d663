import { isOut } from "../reconcile/job-state.ts";
import { isSame } from "../reconcile/status-write.ts";
import { NO_USAGE, usageOf } from "../reconcile/usage.ts";
import type { ChangeSource } from "../runtime/store.ts";
import type { Priority } from "../runtime/work-queue.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import type { Caches } from "./caches.ts";
import { type ChildJob, membersOf } from "./child-job.ts";
import { viewOf } from "./children.ts";
import type { Memory } from "./memory.ts";
import type { RunnerPod } from "./runner-pod.ts";

/**
 * Tells which OpalJobs a change of the caches concerns, and keeps in memory what would otherwise be lost with
 * an object that goes. What was found by listing (at the start, after a gap) is thousands at once and must not delay what
 * somebody has just changed: its priority is low. What happens to children and pods is urgent: a pod that has ended
 * leaves a GPU empty until it is looked at.
 */
export function feed(
  caches: Caches,
  memory: Memory,
  {
    onChanged,
    onWorldChanged,
    nowMs,
  }: {
    onChanged: (key: string, priority: Priority) => void;
    /** Pools or queues have changed in what matters to all jobs. */
    onWorldChanged: () => void;
    nowMs: () => number;
  },
): void {
  const known = { caches, memory };
  const tell = (key: string, from: ChangeSource, priority: Priority = "urgent") =>
    onChanged(key, from === "list" ? "low" : priority);
  const tellMembers = (child: ChildJob, from: ChangeSource) => {
    for (const name of membersOf(child)) tell(`${child.namespace}/${name}`, from);
  };
  const tellOfShared = (uid: string, from: ChangeSource) => {
    for (const child of caches.childJobs.by("owner", uid)) if (child.members) tellMembers(child, from);
  };
  const tellOfPod = (pod: RunnerPod, from: ChangeSource) => {
    const [child] = caches.childJobs.by("uid", pod.childUid);
    if (child) tellMembers(child, from);
    else tell(`${pod.namespace}/${pod.opalJob}`, from);
  };

  caches.opalJobs.onChange(({ key, before, after, from }) => {
    if (before && after?.metadata.uid !== before.metadata.uid) memory.jobs.delete(before.metadata.uid);
    tell(key, from, "high");
    // Another member of a shared child may have to speak for it now.
    if (standing(before) === standing(after)) return;
    for (const job of [before, after]) if (job) tellOfShared(job.metadata.uid, from);
  });
  caches.unreadableOpalJobs.onChange(({ key, from }) => tell(key, from, "high"));
  caches.childJobs.onChange(({ before, after, from }) => {
    if (before && after?.uid !== before.uid) {
      for (const uid of before.ownerUids) memory.carry(uid, usageIn(before, uid));
      memory.forgetChild(before.uid);
    }
    const child = after ?? before;
    if (!child) return;
    tellMembers(child, from);
    // Who begins an attempt of its own has left the shared child before.
    if (!before || !after) for (const uid of child.ownerUids) tellOfShared(uid, from);
  });
  const usageIn = (child: ChildJob, uid: string) => {
    const seen = viewOf(child, uid, known);
    return seen ? usageOf({ children: [seen], carried: NO_USAGE }, nowMs()) : NO_USAGE;
  };
  const isOrphan = (pod: RunnerPod) => caches.childJobs.by("uid", pod.childUid).length === 0;
  caches.pods.onChange(({ before, after, from }) => {
    if (before && after?.uid !== before.uid) {
      memory.ledger.note(before, nowMs());
      if (!isOrphan(before)) memory.rememberPod(before, nowMs());
    }
    if (after) memory.ledger.note(after, undefined);
    const pod = after ?? before;
    if (pod) tellOfPod(pod, from);
  });
  caches.configMaps.onChange(({ key, before, after, from }) => {
    const namespace = key.slice(0, key.indexOf("/"));
    const configMap = after ?? before;
    if (configMap) tell(`${namespace}/${configMap.opalJob}`, from);
  });
  caches.gpuPools.onChange(({ before, after }) => {
    if (!isSame(before?.spec, after?.spec)) onWorldChanged();
  });
  caches.opalQueues.onChange(({ key, before, after }) => {
    // Whoever wrote the account: a standby's ledger must not grow while another leads.
    const { at } = after?.status.usage ?? {};
    if (at !== undefined) memory.ledger.settle(key, Date.parse(at));
    if (!isSame(before?.spec, after?.spec)) onWorldChanged();
  });
  caches.nodes.onChange(({ key, before, after, from }) => {
    if (before?.unreachableSinceMs === after?.unreachableSinceMs) return;
    for (const pod of caches.pods.by("node", key)) tellOfPod(pod, from);
  });
}

/** What the other members of a shared child must know of it. */
function standing(job: OpalJob | undefined): string {
  return job ? `${job.metadata.uid} ${isOut(job)}` : "";
}

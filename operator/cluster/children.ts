/** Caches → the child Jobs of an OpalJob, each as that job sees it, and whose the GPUs of a shared one are. */
import { isFinished } from "#crds/conditions.ts";
import { childName } from "#crds/names.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import { isOut } from "../reconcile/job-state.ts";
import type { ObservedChild, ObservedPod } from "../reconcile/observed.ts";
import {
  lookAtWhole,
  type Member,
  memberView,
  type Standing,
  type WholeChild,
} from "../reconcile/shared-child.ts";
import type { Caches } from "./caches.ts";
import type { ChildJob } from "./child-job.ts";
import type { Memory } from "./memory.ts";
import type { RunnerPod } from "./runner-pod.ts";

interface Known {
  readonly caches: Caches;
  readonly memory: Memory;
}

/** By attempt, ascending; of one attempt the job's own child last, because it was made last. */
export function childrenOf({ metadata: { uid } }: OpalJob, known: Known): ObservedChild[] {
  return known.caches.childJobs
    .by("owner", uid)
    .sort((a, b) => compareChildren(a, b, uid))
    .flatMap((child) => viewOf(child, uid, known) ?? []);
}

function compareChildren(a: ChildJob, b: ChildJob, uid: string): number {
  return (
    attemptOf(a, uid) - attemptOf(b, uid) ||
    Number(a.members === undefined) - Number(b.members === undefined) ||
    a.createdAtMs - b.createdAtMs ||
    (a.uid < b.uid ? -1 : 1)
  );
}

function attemptOf({ members, attempt }: ChildJob, uid: string): number {
  return members?.find((member) => member.uid === uid)?.attempt ?? attempt;
}

/** The child as the OpalJob of this uid sees it; undefined when it is none of its. */
export function viewOf(child: ChildJob, uid: string, known: Known): ObservedChild | undefined {
  const whole = withPods(child, known);
  const { members } = child;
  return members ? memberView(whole, members, { uid, standings: standingsOf(child, members, known) }) : whole;
}

/** Live pods whose GPUs are counted to the OpalJob of this key, whether it exists or not. */
export function podsCountedTo(key: string, known: Known): RunnerPod[] {
  const { caches } = known;
  const uid = caches.opalJobs.get(key)?.metadata.uid;
  const shared = new Map<string, ChildJob>();
  const own: RunnerPod[] = [];
  for (const pod of caches.pods.by("opalJob", key)) {
    const [child] = caches.childJobs.by("uid", pod.childUid);
    if (child?.members) shared.set(child.uid, child);
    else own.push(pod);
  }
  for (const child of uid === undefined ? [] : caches.childJobs.by("owner", uid)) {
    if (child.members) shared.set(child.uid, child);
  }
  const counted = [...shared.values()].filter((child) => accountantOf(child, known) === key);
  return [...own, ...counted.flatMap(({ uid: childUid }) => caches.pods.by("child", childUid))].filter(
    isLive,
  );
}

function isLive({ phase }: RunnerPod): boolean {
  return phase === "Pending" || phase === "Running";
}

function accountantOf(child: ChildJob, known: Known): string | undefined {
  const members = child.members ?? [];
  return lookAtWhole(withPods(child, known), members, standingsOf(child, members, known)).accountant;
}

function standingsOf(child: ChildJob, members: readonly Member[], { caches }: Known): Standing[] {
  return members.map(({ name, uid }) => {
    const key = `${child.namespace}/${name}`;
    const job = caches.opalJobs.get(key);
    if (job?.metadata.uid !== uid) {
      const isGone = caches.unreadableOpalJobs.get(key) === undefined;
      return { key, exists: false, isFinished: isGone, isOut: true, hasLeft: true };
    }
    const siblings = caches.childJobs.by("owner", uid);
    return {
      key,
      exists: true,
      isFinished: isFinished(job.status.conditions ?? []),
      isOut: isOut(job),
      hasLeft: siblings.some((other) => other !== child && compareChildren(child, other, uid) < 0),
    };
  });
}

/**
 * Attempts up to this one have their names taken: a job that was deleted and applied again under its name meets
 * the shared children of the old one, which the others in them still need.
 */
export function takenNumber(
  { metadata, status }: OpalJob,
  children: readonly ObservedChild[],
  { caches }: Known,
): number {
  const { namespace, name, uid } = metadata;
  let number = Math.max(status.attempts ?? 0, children.at(-1)?.attempt ?? 0);
  for (;;) {
    const child = caches.childJobs.get(`${namespace}/${childName(name, number + 1)}`);
    if (!child?.members || child.ownerUids.includes(uid)) return number;
    number++;
  }
}

function withPods(child: ChildJob, { caches, memory }: Known): WholeChild {
  const known = caches.pods.by("child", child.uid).map((pod) => withNode(pod, caches));
  const spec = caches.gpuPools.get(child.pool)?.spec;
  return {
    ...child,
    pricePerGpuHour: spec?.pricePerGpuHour ?? 0,
    vramGiB: spec?.vramGiB ?? 0,
    hasManifest:
      child.carriesManifest || caches.configMaps.get(`${child.namespace}/${child.name}`) !== undefined,
    pods: [...memory.podsOf(child.uid), ...known].sort((a, b) => a.createdAtMs - b.createdAtMs),
  };
}

function withNode(pod: RunnerPod, { nodes }: Caches): ObservedPod {
  const unreachableSinceMs =
    pod.nodeName === undefined ? undefined : nodes.get(pod.nodeName)?.unreachableSinceMs;
  return unreachableSinceMs === undefined ? pod : { ...pod, unreachableSinceMs };
}

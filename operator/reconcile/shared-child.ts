/**
 * A child Job that several OpalJobs share: one shard, one pod, one GPU. Rules see an ordinary child of the job
 * that they look at; here it is made, from the whole child. Nobody controls a shared child: its driver, the
 * first member that still rides in it, speaks for it to the scheduler, and no member ever stops it for another.
 */
import { parseRanges } from "#crds/item-ranges.ts";
import { SharedMembers } from "#crds/shared-child.ts";
import type { ObservedChild, ObservedPod } from "./observed.ts";
import { ownPart, rangesOf } from "./turns.ts";
import { livePodsOf } from "./usage.ts";

export interface Member {
  readonly name: string;
  readonly uid: string;
  /** Which of its attempts this child is. */
  readonly attempt: number;
  /** Indexes of its items, ascending: one slot each. */
  readonly items: readonly number[];
  readonly doneBefore: readonly number[];
  readonly firstSlot: number;
}

/** @throws {z.ZodError | SyntaxError | RangeError} when it is not what this operator writes. */
export function parseMembers(text: string): Member[] {
  let firstSlot = 0;
  return SharedMembers.parse(JSON.parse(text)).map(({ name, uid, attempt, items, done = "" }) => {
    const member = {
      name,
      uid,
      attempt,
      items: parseRanges(items),
      doneBefore: parseRanges(done),
      firstSlot,
    };
    firstSlot += member.items.length;
    return member;
  });
}

export function slotsOf(members: readonly Member[]): number {
  return members.reduce((sum, { items }) => sum + items.length, 0);
}

/** The child without regard to who looks at it: items are slots, pods are as they are. */
export type WholeChild = Omit<ObservedChild, "shared">;

/** What has become of a member's OpalJob. */
export interface Standing {
  readonly key: string;
  /** The very object that the child was made for. */
  readonly exists: boolean;
  /** Or gone. */
  readonly isFinished: boolean;
  /** Finished, suspended or being deleted: it asks for nothing. */
  readonly isOut: boolean;
  /** It has begun a later attempt. */
  readonly hasLeft: boolean;
}

/** What holds for all members alike. */
interface Whole {
  readonly driver: string | undefined;
  /**
   * Key of the one OpalJob to whom the GPUs of its live pods are counted: the driver; without one the first
   * member that there is, else the name that its pods bear.
   */
  readonly accountant: string | undefined;
  /** Of each member: the child's pods as it sees them. */
  readonly parts: readonly (readonly ObservedPod[])[];
}

/** @param standings of all members, in their order */
export function lookAtWhole(
  child: WholeChild,
  members: readonly Member[],
  standings: readonly Standing[],
): Whole {
  const slots = slotsOf(members);
  const parts = members.map((member) => child.pods.map((pod) => ownPart(pod, member, slots)));
  const driver = isOver(child) ? undefined : standings.find((one, at) => rides(one, parts[at] ?? []))?.key;
  const accountant = driver ?? (standings.find(({ exists }) => exists) ?? standings[0])?.key;
  return { driver, accountant, parts };
}

/** The child as one of its members sees it; undefined when that is none. */
export function memberView(
  child: WholeChild,
  members: readonly Member[],
  { uid, standings }: { uid: string; standings: readonly Standing[] },
): ObservedChild | undefined {
  const at = members.findIndex((member) => member.uid === uid);
  const own = members[at];
  if (!own) return undefined;
  const { driver, accountant, parts } = lookAtWhole(child, members, standings);
  const key = standings[at]?.key;
  return {
    ...child,
    attempt: own.attempt,
    items: own.items,
    doneBefore: own.doneBefore,
    shardSize: own.items.length,
    pods: parts[at] ?? [],
    shared: {
      members: members.length,
      driver,
      isDriver: driver !== undefined && driver === key,
      isAccountant: accountant === key,
      openItems: openItems(members, parts),
      isRetired: isRetired(child),
      isAbandoned: isAbandoned(child, standings),
      pods: child.pods,
    },
  };
}

/** It was shrunk to nothing, and its pods have ended: what it has not done is free for other attempts. */
function isRetired(child: WholeChild): boolean {
  return child.parallelism === 0 && livePodsOf(child).length === 0;
}

function isOver(child: WholeChild): boolean {
  const isSettled = child.isEnded || child.succeededShards.size > 0 || child.failedShards.size > 0;
  return isSettled || child.isDeleting || isRetired(child);
}

function rides({ exists, isOut, hasLeft }: Standing, pods: readonly ObservedPod[]): boolean {
  return exists && !isOut && !hasLeft && !pods.some(({ phase }) => phase === "Succeeded");
}

/** Nobody will ask for it again, and no pod of it will end it soon. */
function isAbandoned(child: WholeChild, standings: readonly Standing[]): boolean {
  if (child.isEnded || child.isDeleting) return false;
  if (!standings.every(({ isFinished }) => isFinished)) return false;
  return !child.pods.some(({ isGone, phase }) => phase === "Succeeded" || (!isGone && phase === "Running"));
}

function openItems(members: readonly Member[], parts: readonly (readonly ObservedPod[])[]): number {
  const open = members.map(({ items }, at) => {
    const words = new Set((parts[at] ?? []).flatMap(itemsWithWord));
    return items.length - words.size;
  });
  return open.reduce((sum, count) => sum + count, 0);
}

function itemsWithWord({ verdict, progress }: ObservedPod): number[] {
  const failed = verdict?.failed.map(({ index }) => index) ?? rangesOf(progress?.failed);
  return [...rangesOf(verdict?.done), ...rangesOf(progress?.done), ...failed];
}

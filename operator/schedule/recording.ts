import * as z from "zod";
import type { Admitted, Plan, Placement, PoolPlan, Preempted, QueuePlan } from "./plan.ts";
import { schedule } from "./scheduler.ts";
import type { World } from "./world.ts";

/**
 * Decisions as JSON lines: the world, the time and the plan that was made of them. A recorded decision can be
 * made again anywhere, and must then be the same, bit for bit.
 */
export interface RecordedDecision {
  readonly version: 1;
  readonly nowMs: number;
  /** Of the world, to find equal inputs and to notice a damaged line. */
  readonly worldDigest: string;
  readonly world: World;
  readonly plan: PlainPlan;
}

/** A plan as a plain value, every job included. */
export interface PlainPlan {
  readonly placements: Readonly<Record<string, Placement>>;
  readonly preempted: Readonly<Record<string, Preempted>>;
  readonly pools: Readonly<Record<string, PoolPlan>>;
  readonly queues: Readonly<Record<string, QueuePlan>>;
  readonly wakeAtMs: number | undefined;
}

export function plainPlan(plan: Plan, uids: Iterable<string>): PlainPlan {
  const placements: Record<string, Placement> = {};
  for (const uid of uids) {
    const placement: Admitted | Placement | undefined = plan.placementOf(uid);
    if (placement) placements[uid] = placement;
  }
  return {
    placements,
    preempted: Object.fromEntries(plan.preempted),
    pools: Object.fromEntries(plan.pools),
    queues: Object.fromEntries(plan.queues),
    wakeAtMs: plan.wakeAtMs,
  };
}

/** One line, without its end. */
export function recordDecision(world: World, plan: Plan): string {
  const recorded: RecordedDecision = {
    version: 1,
    nowMs: plan.nowMs,
    worldDigest: digest(JSON.stringify(world)),
    world,
    plan: plainPlan(
      plan,
      world.jobs.map(({ uid }) => uid),
    ),
  };
  return JSON.stringify(recorded);
}

const Line = z.object({
  version: z.literal(1),
  nowMs: z.number(),
  worldDigest: z.string(),
  world: z.looseObject({
    pools: z.array(z.looseObject({ name: z.string() })),
    queues: z.array(z.looseObject({ name: z.string() })),
    jobs: z.array(z.looseObject({ uid: z.string() })),
    settings: z.looseObject({}),
  }),
  plan: z.looseObject({}),
});

/** Throws a RangeError that says what is wrong with the line. */
export function parseDecision(line: string): RecordedDecision {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new RangeError("not a line of JSON", { cause });
  }
  const parsed = Line.safeParse(json);
  if (!parsed.success) throw new RangeError(`not a recorded decision: ${z.prettifyError(parsed.error)}`);
  const recorded = json as RecordedDecision;
  if (digest(JSON.stringify(recorded.world)) !== recorded.worldDigest) {
    throw new RangeError("the recorded world does not match its digest: the line was changed");
  }
  return recorded;
}

/** Makes the decision again; undefined when it is the same, else where the two first differ. */
export function replayDecision({ world, nowMs, plan: before }: RecordedDecision): Difference | undefined {
  const again = schedule(world, nowMs);
  const plain = plainPlan(
    again,
    world.jobs.map(({ uid }) => uid),
  );
  // As JSON, because that is what was recorded: undefined fields are gone and -0 is 0 in both.
  return firstDifference(before, JSON.parse(JSON.stringify(plain)), "plan");
}

export interface Difference {
  readonly path: string;
  readonly recorded: unknown;
  readonly replayed: unknown;
}

function firstDifference(recorded: unknown, replayed: unknown, path: string): Difference | undefined {
  if (Object.is(recorded, replayed)) return undefined;
  if (!isObject(recorded) || !isObject(replayed)) return { path, recorded, replayed };
  for (const key of new Set([...Object.keys(recorded), ...Object.keys(replayed)])) {
    const difference = firstDifference(recorded[key], replayed[key], `${path}.${key}`);
    if (difference) return difference;
  }
  return undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}

/** 64 bits of FNV-1a's kind as hexadecimal digits: finds damage and equal worlds; it is no protection. */
function digest(text: string): string {
  let high = 0xcbf29ce4;
  let low = 0x84222325;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    high = Math.imul(high ^ unit, 0x01000193);
    low = Math.imul(low ^ unit ^ (high >>> 15), 0x85ebca6b);
  }
  return [high, low].map((half) => (half >>> 0).toString(16).padStart(8, "0")).join("");
}

/**
 * One pass over one OpalJob: observe → decide → apply. At most one change of the children (or the OpalJob's
 * deletion), then at most one write of the status, each followed by its events: only what is done is told.
 */
import type { GpuPool } from "#crds/gpupool.ts";
import type { OpalJob } from "#crds/opaljob.ts";
import type { OpalQueue } from "#crds/opalqueue.ts";
import { assess } from "../reconcile/assess.ts";
import type { Decision } from "../reconcile/decision.ts";
import { decide } from "../reconcile/decide.ts";
import { type Note, notesOfAction, notesOfStatus } from "../reconcile/event-notes.ts";
import type { JobPlacement, JobSight, Observed, Remembered } from "../reconcile/observed.ts";
import type { ReconcileSettings } from "../reconcile/settings.ts";
import { kueuePlacement } from "../reconcile/kueue-placement.ts";
import { nextStatus } from "../reconcile/status.ts";
import { timeWrite } from "../reconcile/status-write.ts";
import { unreadableStatus, type UnreadableOpalJob } from "../reconcile/unreadable.ts";
import { gpusOf, runningPods } from "../reconcile/usage.ts";
import type { PassResult } from "../runtime/controller.ts";
import type { TurnLine } from "../runtime/turn-line.ts";
import { isServerTrouble } from "../runtime/errors.ts";
import { apply, gpusTaken } from "./apply.ts";
import { withCompany } from "./company.ts";
import type { Asked, EventReader } from "./event-reader.ts";
import type { JobMemory, Memory } from "./memory.ts";
import type { Planner } from "./planner.ts";
import type { ClusterPort } from "./port.ts";
import { memoryOf } from "./sights.ts";

export interface PassDeps {
  readonly planner: Planner;
  readonly memory: Memory;
  readonly port: ClusterPort;
  readonly events: EventReader;
  /** Of the jobs that are to be told why they wait. */
  readonly turns: Pick<TurnLine, "take" | "leave">;
  readonly settings: ReconcileSettings;
  readonly pools: () => readonly GpuPool[];
  readonly queue: (name: string) => OpalQueue | undefined;
  /** The OpalJob of this key, if this operator cannot read it. */
  readonly unreadable: (key: string) => UnreadableOpalJob | undefined;
  readonly now: () => Date;
  readonly record: (job: OpalJob, note: Note) => void;
}

export async function pass(key: string, deps: PassDeps): Promise<PassResult> {
  const now = deps.now();
  const unreadable = deps.unreadable(key);
  if (unreadable) return tellUnreadable(unreadable, deps, now);
  // Reading takes a moment; what is decided on is looked at after it.
  const asked = await askEvents(key, deps, now);
  const seen = observe(key, deps, now, asked);
  if (!seen) {
    deps.turns.leave(key);
    return {};
  }
  const decision = withCompany(key, decide(seen, deps.settings, now.getTime()), seen, deps);
  // What a child's pods say is gone with the child: it is written down before the child is stopped.
  const isLast = decision.action.do === "stop";
  if (!isLast) await carryOut(key, decision, seen, deps);
  const written = decision.keepStatus ? NOT_WRITTEN : await writeStatus(key, decision, seen, deps);
  if (isLast) await carryOut(key, decision, seen, deps);
  const afterMs = earliest(decision.afterMs, written.afterMs, asked.afterMs);
  const isQuiet = decision.action.do === "nothing" && !written.isWritten;
  return {
    ...(afterMs !== undefined && { afterMs }),
    ...(!isQuiet && { facts: factsOf(decision, seen, written.isWritten) }),
  };
}

async function tellUnreadable(job: UnreadableOpalJob, { port }: PassDeps, now: Date): Promise<PassResult> {
  const status = unreadableStatus(job, now);
  if (!status) return {};
  await port.writeStatus(job, status);
  return { facts: { job: job.metadata.name, because: job.problem, wroteStatus: true } };
}

/** Why something of the job stands still, if anything does. */
async function askEvents(key: string, { planner, memory, events }: PassDeps, now: Date): Promise<Asked> {
  const sight = planner.sight(key);
  if (!sight) return {};
  return events.ask(sight, memoryOf(memory, sight.job), now.getTime());
}

/** Undefined for a job that is gone, and as long as no plan has answered it: the planner tells when one has. */
function observe(key: string, deps: PassDeps, now: Date, { hindrance }: Asked): Observed | undefined {
  const { planner, memory, settings } = deps;
  const sight = planner.sight(key);
  if (!sight || (!settings.kueue && planner.isUnplanned(key))) return undefined;
  const remembered = remember(sight, memoryOf(memory, sight.job), now.getTime());
  const placement = placementOf(key, sight, deps);
  const target = placement?.kind === "admitted" ? planner.pool(placement.pool) : undefined;
  return { ...sight, ...remembered, placement, target, hindrance };
}

function remember(sight: JobSight, memory: JobMemory, nowMs: number): Remembered {
  const { statusWrittenAtMs = nowMs, launchSeenMs = nowMs, runningSinceMs = nowMs } = memory.remembered;
  memory.remembered = {
    statusWrittenAtMs,
    launchSeenMs: holdsUntoldGpus(sight) ? launchSeenMs : undefined,
    runningSinceMs: runningPods(sight).length > 0 ? runningSinceMs : undefined,
  };
  return memory.remembered;
}

function holdsUntoldGpus(sight: JobSight): boolean {
  const { active, attempts } = assess(sight);
  return gpusOf(active) > 0 && attempts > (sight.job.status.attempts ?? 0);
}

/** In a shared child the plan speaks of its driver, and holds for all in it. */
function placementOf(
  key: string,
  sight: JobSight,
  { planner, settings, pools }: PassDeps,
): JobPlacement | undefined {
  if (settings.kueue) return kueuePlacement(sight, pools());
  return planner.placement(assess(sight).active?.child.shared?.driver ?? key);
}

async function carryOut(key: string, decision: Decision, { job }: Observed, deps: PassDeps): Promise<void> {
  const { planner, port } = deps;
  const { action } = decision;
  const taken = gpusTaken(action);
  const passengers = (action.do === "launch" && action.passengers) || [];
  if (taken) planner.assume(key, taken);
  planner.reserve(passengers, true);
  try {
    await apply(action, job, port);
  } catch (error) {
    // Without an answer they may be in the new child; it will be seen, or their time will be over.
    if (!isServerTrouble(error)) planner.reserve(passengers, false);
    throw error;
  }
  planner.reserve(passengers, false);
  if (taken) planner.assume(key, undefined);
  for (const note of notesOfAction(decision)) deps.record(job, note);
}

interface Written {
  readonly isWritten: boolean;
  readonly afterMs?: number;
}
const NOT_WRITTEN: Written = { isWritten: false };

async function writeStatus(
  key: string,
  decision: Decision,
  seen: Observed,
  deps: PassDeps,
): Promise<Written> {
  const { settings, port, memory, record, turns } = deps;
  const { job } = seen;
  const now = deps.now();
  const known = memoryOf(memory, job);
  if (decision.action.do === "launch")
    known.remembered = { ...known.remembered, launchSeenMs: now.getTime() };
  const after = nextStatus(seen, decision, now);
  const timing = timeWrite(job.status, after, {
    intervals: settings,
    writtenAtMs: seen.statusWrittenAtMs ?? 0,
    launchSeenMs: seen.launchSeenMs,
    runningSinceMs: seen.runningSinceMs,
    nowMs: now.getTime(),
  });
  if (timing.write !== "in-turn") turns.leave(key);
  else if (!turns.take(key, timing)) return NOT_WRITTEN;
  if (timing.write === "never") return NOT_WRITTEN;
  if (timing.write === "later") return { isWritten: false, afterMs: timing.afterMs };
  await port.writeStatus(job, after);
  known.remembered = { ...known.remembered, statusWrittenAtMs: now.getTime() };
  for (const note of notesOfStatus(job.status, after)) record(job, note);
  return { isWritten: true };
}

function earliest(...times: readonly (number | undefined)[]): number | undefined {
  const known = times.filter((time) => time !== undefined);
  return known.length === 0 ? undefined : Math.min(...known);
}

function factsOf({ action, verdict, because }: Decision, { job }: Observed, isWritten: boolean): object {
  return {
    job: job.metadata.name,
    tenant: job.spec.tenant,
    action: action.do,
    ...(verdict && { verdict: verdict.reason }),
    because,
    wroteStatus: isWritten,
  };
}

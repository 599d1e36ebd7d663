import type { Decision } from "../reconcile/decision.ts";
import type { Observed } from "../reconcile/observed.ts";
import {
  type Company,
  riderOf,
  shareOf,
  usableGpus,
  waitsForRoom,
  withPassengers,
} from "../reconcile/share.ts";
import type { PassDeps } from "./pass.ts";

/** Jobs looked at in search of passengers, at most: those that stand before them may just be starting. */
const MAX_LOOKED_AT = 1000;

/** Lets a job that is launched take along waiting ones that may share its child. */
export function withCompany(
  key: string,
  decision: Decision,
  seen: Observed,
  deps: Pick<PassDeps, "planner" | "settings" | "queue">,
): Decision {
  if (decision.action.do !== "launch") return decision;
  const { settings, planner } = deps;
  const share = shareOf(seen, settings);
  const leader = share && riderOf(seen, settings);
  if (!leader || !seen.target || seen.queue === undefined) return decision;
  const company: Company = {
    items: planner.sharing.items(share.key),
    gpus: usableGpus(seen.target, deps.queue(seen.queue)?.spec),
    waiting: waitingLike(share.key, key, deps),
  };
  return withPassengers(decision, { ...leader, company }, settings);
}

function* waitingLike(
  kind: string,
  leader: string,
  { planner, settings }: Pick<PassDeps, "planner" | "settings">,
): Company["waiting"] {
  for (const key of planner.sharing.first(kind, MAX_LOOKED_AT)) {
    if (key === leader || !waitsForRoom(planner.placement(key))) continue;
    // As it is now: the plan may be a moment older.
    const sight = planner.sight(key);
    if (!sight || shareOf(sight, settings)?.key !== kind) continue;
    const rider = riderOf(sight, settings);
    if (rider) yield { key, rider };
  }
}

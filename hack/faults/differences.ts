import type { ApiClient } from "../../operator/runtime/api-client.ts";
import {
  type Child,
  CHILDREN,
  configMapsIn,
  type Member,
  nextStep,
  PARENTS,
  toChild,
  toMember,
} from "./family.ts";
import type { Replica } from "./replica.ts";

/**
 * What is not yet as it should be, in words, empty when all has converged: every parent has exactly one child with its
 * value, no child is without its parent, and the replicas' caches hold what the API server holds, version by version.
 */
export async function differences(
  client: ApiClient,
  namespace: string,
  replicas: readonly Replica[],
): Promise<readonly string[]> {
  const list = async (labelSelector: string) =>
    (await client.list(configMapsIn(namespace), { labelSelector })).items;
  const parents = (await list(PARENTS)).map(toMember);
  const children = (await list(CHILDREN)).map(toChild);
  return [
    ...unsettled(parents, children),
    ...replicas.flatMap((replica) => [
      ...unlike(`${replica.identity}: parent`, replica.parents.values(), parents),
      ...unlike(`${replica.identity}: child`, replica.children.values(), children),
    ]),
  ];
}

function unsettled(parents: readonly Member[], children: readonly Child[]): string[] {
  const byName = new Map(parents.map((parent) => [parent.name, parent]));
  const families = Map.groupBy(children, (child) => child.parentName);
  const names = new Set([...byName.keys(), ...families.keys()]);
  return [...names].flatMap((name) => {
    const family = families.get(name) ?? [];
    const step = nextStep(byName.get(name), family);
    if (family.length > 1) return [`${name} has ${family.length} children`];
    return step.do === "nothing" ? [] : [`${name}: ${step.do}`];
  });
}

function unlike(what: string, cached: readonly Member[], held: readonly Member[]): string[] {
  const versions = (members: readonly Member[]) =>
    new Set(members.map(({ name, uid, resourceVersion }) => `${name} ${uid}@${resourceVersion}`));
  const [ours, theirs] = [versions(cached), versions(held)];
  return [
    ...[...theirs].filter((one) => !ours.has(one)).map((one) => `${what} missed ${one}`),
    ...[...ours].filter((one) => !theirs.has(one)).map((one) => `${what} is not there: ${one}`),
  ];
}

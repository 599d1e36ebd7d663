import { aPlainJob } from "./load.ts";
import type { Contender } from "./contender.ts";

const NAMESPACE = "default";

/** Jobs with nothing before them: pods wait in Kubernetes' own scheduler. */
export const plain: Contender = {
  name: "plain",
  namespace: NAMESPACE,
  resource: { group: "batch", version: "v1", plural: "jobs", namespace: NAMESPACE },
  job: aPlainJob,
  start: () => Promise.resolve({ stop: () => Promise.resolve() }),
};

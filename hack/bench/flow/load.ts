/** What the bench asks of each contender: the same work in each one's own words. Pure. */
import { API_VERSION } from "#crds/names.ts";

/** Its image has the name under which the dev cluster knows the idle runner. */
export const IMAGE = "opal/runner";
const TENANT = "bench";

export function anOpalJob(name: string, pictures: number): object {
  const items = Array.from({ length: pictures }, (_, n) => ({
    id: `photo-${n}`,
    source: `raw/bench/${n}.jpg`,
  }));
  return {
    apiVersion: API_VERSION,
    kind: "OpalJob",
    metadata: { name },
    spec: { tenant: TENANT, items, brand: { placement: "transparent" } },
  };
}

/** One pod with one GPU, as a child of an OpalJob has, with nothing around it. */
export function aPlainJob(name: string): object {
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: { name },
    spec: {
      completionMode: "Indexed",
      completions: 1,
      parallelism: 1,
      template: {
        spec: {
          restartPolicy: "Never",
          containers: [{ name: "runner", image: IMAGE, resources: { limits: { "nvidia.com/gpu": 1 } } }],
        },
      },
    },
  };
}

/** The same Job, left to Kueue. */
export function aKueueJob(name: string, localQueue: string): object {
  const job = aPlainJob(name) as { metadata: object; spec: object };
  return {
    ...job,
    metadata: { ...job.metadata, labels: { "kueue.x-k8s.io/queue-name": localQueue } },
    spec: { ...job.spec, suspend: true },
  };
}

import { API_VERSION } from "#crds/names.ts";
import { OpalJobStatus } from "#crds/opaljob.ts";
import * as z from "zod";
import type { AnswerOptions, ApiClient, Resource } from "../runtime/api-client.ts";
import { isStatus, StaleError } from "../runtime/errors.ts";
import { toEntry } from "../runtime/reflector.ts";
import type { Store } from "../runtime/store.ts";
import { type Caches, noteConfigMap, noteWritten } from "./caches.ts";
import { parseChildJob } from "./child-job.ts";
import { withoutRecordIfEnded } from "./ended-job.ts";
import type { ChildRef, ClusterPort } from "./port.ts";
import { noteOpalJob } from "./opal-jobs.ts";
import { resourcesIn } from "./resources.ts";
import { parseRunnerPod } from "./runner-pod.ts";

/** The port on a real API server. What it answers goes into the caches, so the next pass sees its own writes. */
export function createKubernetesPort(client: ApiClient, caches: Caches): ClusterPort {
  const { gpuPools, opalQueues } = resourcesIn("");
  return {
    async createJob(manifest) {
      const { namespace, name, ownerReferences } = manifest.metadata;
      const { jobs } = resourcesIn(namespace);
      const raw = await createOrGet(client, jobs, manifest);
      const entry = toEntry(raw, parseChildJob);
      caches.childJobs.written(entry);
      const child = entry.value;
      // A job deleted and applied again under its name meets the old one's child until that is collected. Of a
      // shared child the leader counts: one that was made before may have other passengers.
      if (!ownerReferences.slice(0, 1).every((owner) => child.ownerUids.includes(owner.uid))) {
        throw new Error(`Job ${namespace}/${name} exists and belongs to another OpalJob`);
      }
      return { namespace, name, uid: child.uid };
    },
    async createConfigMap(manifest) {
      const { namespace, name, ownerReferences } = manifest.metadata;
      const raw = await createOrGet(client, resourcesIn(namespace).configMaps, manifest);
      if (!isOwnedBy(raw, ownerReferences)) {
        throw new Error(`ConfigMap ${namespace}/${name} exists and belongs to another Job`);
      }
      noteConfigMap(caches, raw);
    },
    async resizeJob(child, parallelism) {
      const { jobs } = resourcesIn(child.namespace);
      const raw = await refusingStale(`Job ${child.name}`, () =>
        client.patch(jobs, child.name, { metadata: { uid: child.uid }, spec: { parallelism } }),
      );
      noteWritten(caches.childJobs, raw, parseChildJob);
    },
    deleteJob: (child: ChildRef) => remove(client, resourcesIn(child.namespace).jobs, child),
    async failPod(pod, { reason, message, disruption, at }) {
      const { pods } = resourcesIn(pod.namespace);
      const condition = {
        type: "DisruptionTarget",
        status: "True",
        reason: disruption,
        message,
        lastTransitionTime: at.replace(/\.\d+Z$/, "Z"),
      };
      const status = { phase: "Failed", reason, message, conditions: [condition] };
      try {
        const raw = await client.patchStatus(pods, pod.name, { metadata: { uid: pod.uid }, status });
        noteWritten(caches.pods, raw, parseRunnerPod);
      } catch (error) {
        // Gone, or another pod has its name by now.
        if (!isStatus(error, 404) && !isStatus(error, 409) && !isOtherUid(error)) throw error;
      }
    },
    deletePod: (pod) => remove(client, resourcesIn(pod.namespace).pods, pod),
    async writeStatus(job, status) {
      const { opalJobs } = resourcesIn(job.metadata.namespace);
      const update = { kind: "OpalJob", resource: opalJobs, status };
      // The status may have been what could not be read.
      if (!("spec" in job)) return noteOpalJob(caches, await updateSeen(client, job, update));
      const after = withoutRecordIfEnded({ ...job, status: OpalJobStatus.parse(status) });
      await updateKnown(client, { store: caches.opalJobs, after }, update);
    },
    deleteOpalJob: ({ metadata }) => remove(client, resourcesIn(metadata.namespace).opalJobs, metadata),
    async writePoolStatus(pool, status) {
      const after = { ...pool, status };
      const update = { kind: "GpuPool", resource: gpuPools, status };
      await updateKnown(client, { store: caches.gpuPools, after }, update);
    },
    async writeQueueStatus(queue, status) {
      const after = { ...queue, status };
      const update = { kind: "OpalQueue", resource: opalQueues, status };
      await updateKnown(client, { store: caches.opalQueues, after }, update);
    },
  };
}

interface Seen {
  readonly metadata: { name: string; namespace?: string | undefined; uid: string; resourceVersion: string };
}

interface StatusUpdate {
  readonly kind: string;
  readonly resource: Resource;
  readonly status: object;
}

/** Of one of ours: its spec, labels and finalizers stay as they are. */
function updateSeen(
  client: ApiClient,
  seen: Seen,
  { kind, resource, status }: StatusUpdate,
  answer: AnswerOptions = {},
): Promise<unknown> {
  const { name, namespace, uid, resourceVersion } = seen.metadata;
  const metadata = { name, namespace, uid, resourceVersion };
  return refusingStale(`${resource.plural}/${name}`, () =>
    client.updateStatus(resource, name, { apiVersion: API_VERSION, kind, metadata, status }, answer),
  );
}

const Answered = z.object({ metadata: z.object({ resourceVersion: z.string() }) });

/**
 * Exactly the version that was seen gets the status, so that the object as it is then is known but for its new version:
 * the API server need not tell the whole of it, and nobody need read it.
 * @param after the object as seen, with its new status
 */
async function updateKnown<T extends Seen>(
  client: ApiClient,
  { store, after }: { store: Pick<Store<T>, "written">; after: T },
  update: StatusUpdate,
): Promise<void> {
  const answer = await updateSeen(client, after, update, { metadataOnly: true });
  const { resourceVersion } = Answered.parse(answer).metadata;
  const { name, uid } = after.metadata;
  const { namespace } = update.resource;
  const key = namespace === undefined ? name : `${namespace}/${name}`;
  const value = { ...after, metadata: { ...after.metadata, resourceVersion } };
  store.written({ key, uid, resourceVersion, value });
}

async function createOrGet(
  client: ApiClient,
  resource: Resource,
  manifest: { metadata: { name: string } },
): Promise<unknown> {
  try {
    return await client.create(resource, manifest);
  } catch (error) {
    if (!isStatus(error, 409, "AlreadyExists")) throw error;
    return refusingStale(manifest.metadata.name, () => client.get(resource, manifest.metadata.name));
  }
}

async function refusingStale<T>(what: string, act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (isStatus(error, 404) || isStatus(error, 409) || isOtherUid(error)) {
      throw new StaleError(`${what} has changed since it was seen`, { cause: error });
    }
    throw error;
  }
}

/** A patch that names the uid is refused as a change of the uid when another object has the name by now. */
function isOtherUid(error: unknown): boolean {
  return isStatus(error, 422) && error instanceof Error && error.message.includes("metadata.uid");
}

async function remove(
  client: ApiClient,
  resource: Resource,
  seen: { name: string; uid: string },
): Promise<void> {
  try {
    await client.delete(resource, seen.name, { uid: seen.uid });
  } catch (error) {
    // Gone already, or another object has its name by now.
    if (!isStatus(error, 404) && !isStatus(error, 409)) throw error;
  }
}

function isOwnedBy(raw: unknown, owners: readonly { uid: string }[]): boolean {
  const { metadata } = raw as { metadata: { ownerReferences?: { uid: string }[] } };
  return owners.every((owner) => metadata.ownerReferences?.some((other) => other.uid === owner.uid));
}

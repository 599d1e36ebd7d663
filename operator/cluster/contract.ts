/** What a ClusterPort must do, on the fake API server and on a real one. */
import { beforeEach, describe, expect, it } from "vitest";
import { isFinished } from "#crds/conditions.ts";
import { OpalJob } from "#crds/opaljob.ts";
import { assess } from "../reconcile/assess.ts";
import { desiredJob } from "../reconcile/desired-job.ts";
import { desiredConfigMap } from "../reconcile/manifest.ts";
import { aPool } from "../reconcile/testing.ts";
import { nextAttempt } from "../reconcile/next-attempt.ts";
import type { ApiClient } from "../runtime/api-client.ts";
import { isStatus, StaleError } from "../runtime/errors.ts";
import { type Caches, createCaches, parseGpuPool, parseOpalQueue } from "./caches.ts";
import { createKubernetesPort } from "./kubernetes-port.ts";
import type { ClusterPort } from "./port.ts";
import { resourcesIn } from "./resources.ts";
import { someSettings } from "./testing.ts";

export interface Bench {
  readonly client: Pick<ApiClient, "get" | "create" | "patch" | "updateStatus" | "patchStatus" | "delete">;
  readonly namespace: string;
}

let serial = 0;

export function portContract(name: string, open: () => Promise<Bench>): void {
  describe(`the cluster port on ${name}`, () => {
    let bench: Bench;
    let caches: Caches;
    let port: ClusterPort;
    let job: OpalJob;
    const resources = () => resourcesIn(bench.namespace);
    const settings = someSettings();
    // No node has this label: the pods of real Jobs stay unscheduled.
    const pool = aPool("contract", { nodeSelector: { "opal.dev/gpu-class": "none" } });

    beforeEach(async () => {
      bench = await open();
      caches = createCaches();
      port = createKubernetesPort(bench.client as ApiClient, caches);
      job = await anAppliedJob();
    });

    async function anAppliedJob(): Promise<OpalJob> {
      const raw = await bench.client.create(resources().opalJobs, {
        apiVersion: "opal.dev/v1alpha1",
        kind: "OpalJob",
        metadata: { name: `contract-${process.pid}-${++serial}`, namespace: bench.namespace },
        spec: {
          tenant: "shop",
          items: [
            { id: "a", source: "raw/shop/a.jpg" },
            { id: "b", source: "raw/shop/b.jpg" },
          ],
          brand: { placement: "studio" },
        },
      });
      return OpalJob.parse(raw);
    }

    function firstAttempt(of: OpalJob = job) {
      const attempt = nextAttempt(of, assess({ job: of, children: [] }), settings);
      if (!attempt) throw new Error("no attempt");
      return {
        attempt,
        manifest: desiredJob(
          of,
          attempt,
          { pool, gpus: 1, queue: "shop", avoidNodes: [], done: new Set<number>() },
          settings,
        ),
      };
    }

    async function exists(plural: "jobs" | "configMaps" | "opalJobs", named: string): Promise<boolean> {
      try {
        const raw = (await bench.client.get(resources()[plural], named)) as {
          metadata: { deletionTimestamp?: string };
        };
        return raw.metadata.deletionTimestamp === undefined;
      } catch (error) {
        if (isStatus(error, 404)) return false;
        throw error;
      }
    }

    it("creates a child once, however often it is asked to, and knows it at once", async () => {
      const { manifest } = firstAttempt();
      const first = await port.createJob(manifest);
      expect(await port.createJob(manifest)).toEqual(first);
      const [child, ...others] = caches.childJobs.by("owner", job.metadata.uid);
      expect(others).toEqual([]);
      expect(child).toMatchObject({
        uid: first.uid,
        attempt: 1,
        items: [0, 1],
        shardSize: 2,
        parallelism: 1,
        carriesManifest: true,
      });
    });

    it("creates a child's ConfigMap once", async () => {
      const { attempt, manifest } = firstAttempt();
      const configMap = desiredConfigMap(job, attempt, await port.createJob(manifest));
      await port.createConfigMap(configMap);
      await port.createConfigMap(configMap);
      expect(caches.configMaps.get(`${bench.namespace}/${configMap.metadata.name}`)).toEqual({
        opalJob: job.metadata.name,
      });
    });

    it("does not take an older OpalJob's child for its own", async () => {
      const { manifest } = firstAttempt();
      await port.createJob(manifest);
      const reborn = OpalJob.parse({ ...job, metadata: { ...job.metadata, uid: "00000000-another-uid" } });
      await expect(port.createJob(firstAttempt(reborn).manifest)).rejects.toThrow("belongs to another");
    });

    it("changes a child's parallelism, and knows it at once", async () => {
      const child = await port.createJob(firstAttempt().manifest);
      await port.resizeJob(child, 0);
      expect(caches.childJobs.by("owner", job.metadata.uid)[0]?.parallelism).toBe(0);
    });

    it("refuses to resize a child that is gone or another one by now", async () => {
      const child = await port.createJob(firstAttempt().manifest);
      await expect(port.resizeJob({ ...child, uid: "00000000-another-uid" }, 0)).rejects.toThrow(StaleError);
      await port.deleteJob(child);
      await expect(port.resizeJob(child, 0)).rejects.toThrow(StaleError);
    });

    it("deletes a child, and is content when it is gone or another one by now", async () => {
      const child = await port.createJob(firstAttempt().manifest);
      await port.deleteJob({ ...child, uid: "00000000-another-uid" });
      expect(await exists("jobs", child.name)).toBe(true);
      await port.deleteJob(child);
      await port.deleteJob(child);
      expect(await exists("jobs", child.name)).toBe(false);
    });

    it("writes the record of an ended job whole, and keeps of it that the job has ended", async () => {
      const seen = OpalJob.parse(await bench.client.get(resources().opalJobs, job.metadata.name));
      const condition = {
        type: "Complete" as const,
        status: "True" as const,
        reason: "AllItemsDone",
        message: "All of them.",
        lastTransitionTime: "2026-01-01T12:00:00Z",
      };
      const record = { phase: "Complete", attempts: 1, conditions: [condition] };
      await port.writeStatus(seen, record);
      const written = OpalJob.parse(await bench.client.get(resources().opalJobs, job.metadata.name));
      expect(written.status).toEqual(record);
      expect(written.spec).toEqual(job.spec);
      const kept = caches.opalJobs.get(`${bench.namespace}/${job.metadata.name}`);
      expect(isFinished(kept?.status.conditions ?? [])).toBe(true);
      expect(kept?.spec.items).toBeUndefined();
      expect(kept?.metadata.resourceVersion).toBe(written.metadata.resourceVersion);
    });

    it("replaces the status and nothing else, and knows it at once", async () => {
      const labels = { shop: "north" };
      await bench.client.patch(resources().opalJobs, job.metadata.name, {
        metadata: { labels, finalizers: ["opal.dev/projection"] },
      });
      const seen = OpalJob.parse(await bench.client.get(resources().opalJobs, job.metadata.name));
      await port.writeStatus(seen, { phase: "Running", attempts: 1, queue: { position: 3 } });
      const known = caches.opalJobs.get(`${bench.namespace}/${job.metadata.name}`);
      if (!known) throw new Error("the written status is not in the caches");
      await port.writeStatus(known, { phase: "Running", attempts: 2 });
      const after = caches.opalJobs.get(`${bench.namespace}/${job.metadata.name}`);
      expect(after?.status).toEqual({ phase: "Running", attempts: 2 });
      expect(after?.spec).toEqual(job.spec);
      const kept = OpalJob.parse(await bench.client.get(resources().opalJobs, job.metadata.name));
      expect(after?.status).toEqual(kept.status);
      expect(after?.metadata.resourceVersion).toBe(kept.metadata.resourceVersion);
      expect(after?.metadata).toMatchObject({
        labels,
        finalizers: ["opal.dev/projection"],
        generation: job.metadata.generation,
      });
      await bench.client.patch(resources().opalJobs, job.metadata.name, { metadata: { finalizers: null } });
    });

    it("replaces the statuses of pools and queues, and knows them at once under their names", async () => {
      const { gpuPools, opalQueues } = resources();
      const metadata = { name: `contract-${process.pid}-${++serial}` };
      const object = (kind: string, spec: object) => ({
        apiVersion: "opal.dev/v1alpha1",
        kind,
        metadata: { ...metadata },
        spec,
      });
      const aSpec = { gpuClass: "none", vramGiB: 16, maxGpus: 1 };
      const madePool = parseGpuPool(await bench.client.create(gpuPools, object("GpuPool", aSpec)));
      const madeQueue = parseOpalQueue(await bench.client.create(opalQueues, object("OpalQueue", {})));
      await port.writePoolStatus(madePool, { ready: 3 });
      await port.writeQueueStatus(madeQueue, { pending: 4 });
      const pools = caches.gpuPools;
      const queues = caches.opalQueues;
      expect([pools.size, pools.get(metadata.name)?.status]).toEqual([1, { ready: 3 }]);
      expect([queues.size, queues.get(metadata.name)?.status]).toEqual([1, { pending: 4 }]);
      // Nobody has written them meanwhile.
      for (const pool of pools.values()) await port.writePoolStatus(pool, { ready: 2 });
      for (const queue of queues.values()) await port.writeQueueStatus(queue, { pending: 1 });
      const kept = parseGpuPool(await bench.client.get(gpuPools, metadata.name));
      expect(pools.get(metadata.name)?.metadata.resourceVersion).toBe(kept.metadata.resourceVersion);
      await bench.client.delete(gpuPools, metadata.name);
      await bench.client.delete(opalQueues, metadata.name);
    });

    it("refuses a status for another version of the OpalJob, and for one that is gone", async () => {
      await port.writeStatus(job, { attempts: 1 });
      await expect(port.writeStatus(job, { attempts: 2 })).rejects.toThrow(StaleError);
      await port.deleteOpalJob(job);
      await expect(port.writeStatus(job, { attempts: 2 })).rejects.toThrow(StaleError);
    });

    it("deletes an OpalJob, and is content when it is gone", async () => {
      await port.deleteOpalJob(job);
      await port.deleteOpalJob(job);
      expect(await exists("opalJobs", job.metadata.name)).toBe(false);
    });
  });
}

import { Counter } from "prom-client";
import type { Config } from "../config.ts";
import { createHealthApp } from "../health.ts";
import { startKeyedQueue } from "../keyed-queue.ts";
import { startLoop } from "../loop.ts";
import { createFeed } from "../projection/feed.ts";
import { type Projection, project, projectVanished } from "../projection/projector.ts";
import { createProjectionStore } from "../store/projection.ts";
import { connectBlob } from "./connect-blob.ts";
import { connectCluster } from "./connect-cluster.ts";
import { connectDatabase } from "./connect-database.ts";
import { type RoleContext, assertReachable, listen, waitForSchema } from "./role.ts";

/** OpalJobs' verdicts to Postgres. @returns its port. */
export async function startProject(config: Config<"project">, context: RoleContext): Promise<number> {
  const { closing, log, random, registry } = context;
  const sql = await connectDatabase(config, "project", context);
  await waitForSchema(sql, log);
  const deps = {
    store: createProjectionStore(sql),
    blobs: await connectBlob(config.blob, context),
    opalJobs: connectCluster(config.OPAL_NAMESPACE, context),
  };
  const report = createReporter(context);

  const missing = new Map<string, string>();
  const queue = startKeyedQueue({
    concurrency: config.OPAL_PROJECT_CONCURRENCY,
    random,
    onError: (job, error) => log.error({ job, err: error }, "projection failed"),
    work: async (name) => {
      const opalJob = feed.get(name);
      if (opalJob) report(await project(opalJob, deps));
      const tenantId = missing.get(name);
      if (opalJob || tenantId === undefined) return;
      report(await projectVanished({ tenantId, jobId: name }, deps));
      missing.delete(name);
    },
  });
  const feed = createFeed({
    opalJobs: deps.opalJobs,
    store: deps.store,
    resyncSeconds: config.OPAL_RESYNC_SECONDS,
    onChange: (name) => queue.add(name),
    onMissing: ({ tenantId, jobId }) => {
      missing.set(jobId, tenantId);
      queue.add(jobId);
    },
  });
  closing.defer(() => queue.close());
  const follow = startLoop({
    // A watch that ends at once, again and again, must not become a storm of lists.
    everySeconds: 0.5,
    random,
    run: (signal) => feed.run(signal),
    onError: (error) => log.warn({ err: error }, "watch ended badly"),
  });
  closing.defer(() => follow.close());

  const app = createHealthApp({
    registry,
    checks: {
      database: () => assertReachable(sql),
      cluster: () => {
        if (!feed.hasSynced()) throw new Error("the OpalJobs have not been listed yet");
      },
    },
  });
  return listen(app, config.OPAL_PORT, context);
}

function createReporter({ log, registry }: RoleContext): (projection: Projection | undefined) => void {
  const verdictsTotal = new Counter({
    name: "opal_projected_verdicts_total",
    help: "Items whose GPU work has ended, by outcome.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  return (projection) => {
    if (!projection || (projection.verdicts.length === 0 && !projection.released)) return;
    const { address, correlationId, verdicts, released } = projection;
    const failures = verdicts.filter(({ outcome }) => outcome === "failed").length;
    verdictsTotal.inc({ outcome: "rendered" }, verdicts.length - failures);
    verdictsTotal.inc({ outcome: "failed" }, failures);
    const facts = { tenant: address.tenantId, job: address.jobId, correlationId, released };
    log.info({ ...facts, rendered: verdicts.length - failures, failed: failures }, "projected");
  };
}

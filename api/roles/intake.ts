import { Counter } from "prom-client";
import { QUEUES } from "#crds/messages.ts";
import type { IncomingMessage, Settlement } from "../azure/bus.ts";
import type { Config } from "../config.ts";
import { createHealthApp } from "../health.ts";
import { type IntakeDeps, takeIn } from "../intake/intake.ts";
import { retryDelaySeconds } from "../loop.ts";
import { createIntakeStore } from "../store/intake.ts";
import { connectBus } from "./connect-bus.ts";
import { connectCluster } from "./connect-cluster.ts";
import { connectDatabase } from "./connect-database.ts";
import { type RoleContext, assertReachable, listen, waitForSchema } from "./role.ts";

/** Queue `jobs` to OpalJobs. @returns its port. */
export async function startIntake(config: Config<"intake">, context: RoleContext): Promise<number> {
  const { closing, log, registry } = context;
  const sql = await connectDatabase(config, "intake", context);
  await waitForSchema(sql, log);
  const deps: IntakeDeps = {
    store: createIntakeStore(sql),
    opalJobs: connectCluster(config.OPAL_NAMESPACE, context),
    settings: {
      maxGpusPerJob: config.OPAL_MAX_GPUS_PER_JOB,
      ttlSecondsAfterFinished: config.OPAL_OPALJOB_TTL_SECONDS,
    },
  };
  const bus = await connectBus(config.bus, context);
  const subscription = bus.receive(
    {
      queue: QUEUES.jobs,
      concurrency: config.OPAL_INTAKE_CONCURRENCY,
      onError: (error) => log.warn({ err: error }, "bus trouble"),
    },
    createHandler(deps, context),
  );
  closing.defer(() => subscription.close());

  const app = createHealthApp({
    registry,
    checks: {
      database: () => assertReachable(sql),
      bus: () => {
        if (!subscription.isHealthy()) throw new Error("the queue cannot be received from");
      },
    },
  });
  return listen(app, config.OPAL_PORT, context);
}

function createHandler(deps: IntakeDeps, { log, random, registry }: RoleContext) {
  const messagesTotal = new Counter({
    name: "opal_intake_messages_total",
    help: "Messages of the queue `jobs` by what became of them.",
    labelNames: ["outcome"],
    registers: [registry],
  });
  return async (incoming: IncomingMessage): Promise<Settlement> => {
    const start = performance.now();
    const facts = () => ({
      messageId: incoming.id,
      delivery: incoming.delivery,
      seconds: secondsSince(start),
    });
    try {
      const { outcome, settlement, message } = await takeIn(incoming, deps);
      messagesTotal.inc({ outcome });
      const { tenantId: tenant, jobId: job, correlationId } = message ?? {};
      const level = settlement.do === "complete" ? "info" : "error";
      log[level]({ ...facts(), outcome, tenant, job, correlationId, settlement: settlement.do }, "took in");
      return settlement;
    } catch (error) {
      messagesTotal.inc({ outcome: "transient" });
      log.error({ ...facts(), err: error }, "could not take in");
      // Held for a while: the broker gives an abandoned message out again at once, and only a few times.
      await pause(retryDelaySeconds(incoming.delivery + 3, random), incoming.signal);
      return { do: "abandon", because: error instanceof Error ? error.message : String(error) };
    }
  };
}

function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

function pause(seconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
    if (signal.aborted) {
      clearTimeout(timer);
      resolve();
    }
  });
}

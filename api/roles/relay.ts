import type { Logger } from "pino";
import { Counter, Gauge } from "prom-client";
import { QUEUES } from "#crds/messages.ts";
import type { Config } from "../config.ts";
import { createHealthApp } from "../health.ts";
import { startLoop } from "../loop.ts";
import { drainOutbox } from "../relay/relay.ts";
import type { Sql } from "../store/database.ts";
import { createOutbox } from "../store/outbox.ts";
import { pruneOldRows } from "../store/retention.ts";
import { giveUpUnanswered, resendUnanswered } from "../store/unanswered.ts";
import { createUploadStore } from "../store/uploads.ts";
import { connectBus } from "./connect-bus.ts";
import { connectDatabase } from "./connect-database.ts";
import { type RoleContext, assertReachable, listen, waitForSchema } from "./role.ts";

/** Outbox to bus, and the sweeps. @returns its port. */
export async function startRelay(config: Config<"relay">, context: RoleContext): Promise<number> {
  const { closing, log, random, registry } = context;
  const sql = await connectDatabase(config, "relay", context);
  await waitForSchema(sql, log);
  const outbox = createOutbox(sql);
  const bus = await connectBus(config.bus, context);
  const sentTotal = new Counter({
    name: "opal_outbox_sent_total",
    help: "Messages handed to the bus.",
    labelNames: ["queue"],
    registers: [registry],
  });
  registry.registerMetric(
    new Gauge({
      name: "opal_outbox_unsent",
      help: "Messages that wait in the outbox.",
      registers: [],
      async collect() {
        this.set(await outbox.countUnsent());
      },
    }),
  );

  const drains = Object.values(QUEUES).map((queue) =>
    startLoop({
      everySeconds: config.OPAL_SWEEP_SECONDS,
      random,
      onError: (error) => log.error({ err: error, queue }, "relay failed"),
      run: async (signal) => {
        const messages = await drainOutbox(queue, { outbox, bus }, signal);
        if (messages === 0) return;
        sentTotal.inc({ queue }, messages);
        log.info({ queue, messages }, "relayed");
      },
    }),
  );
  for (const drain of drains) closing.defer(() => drain.close());
  const subscription = await outbox.onNew(() => drains.forEach((drain) => drain.wake()));
  closing.defer(() => subscription.close());

  const sweep = startLoop({
    everySeconds: config.OPAL_SWEEP_SECONDS,
    random,
    onError: (error) => log.error({ err: error }, "sweep failed"),
    run: () => sweepOnce(config, sql, log),
  });
  closing.defer(() => sweep.close());

  const app = createHealthApp({ checks: { database: () => assertReachable(sql) }, registry });
  return listen(app, config.OPAL_PORT, context);
}

const JOBS_PER_SWEEP = 100;

async function sweepOnce(config: Config<"relay">, sql: Sql, log: Logger): Promise<void> {
  const unanswered = {
    jobSeconds: config.OPAL_JOB_RESEND_SECONDS,
    exportSeconds: config.OPAL_EXPORT_RESEND_SECONDS,
    maxExportSends: config.OPAL_EXPORT_MAX_SENDS,
  };
  const swept = {
    jobsExpired: await createUploadStore(sql).expire(JOBS_PER_SWEEP),
    messagesResent: await resendUnanswered(sql, unanswered),
    exportsGivenUp: await giveUpUnanswered(sql, unanswered),
    rowsPruned: await pruneOldRows(sql, {
      outboxSeconds: config.OPAL_OUTBOX_RETENTION_SECONDS,
      idempotencyKeySeconds: config.OPAL_IDEMPOTENCY_KEY_SECONDS,
    }),
  };
  if (Object.values(swept).some((count) => count > 0)) log.info(swept, "swept");
}

/** Starts the operator: the only place that reads the environment, the clock and the process's signals. */
import { randomUUID } from "node:crypto";
import { createWriteStream, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { pino } from "pino";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { type Config, parseConfig } from "./config.ts";
import { createOperator } from "./operator.ts";
import { systemClock } from "./runtime/clock.ts";
import { loadClusterAccess } from "./runtime/cluster-access.ts";
import { keepHeapCompact } from "./runtime/compact-heap.ts";
import { startHealthServer } from "./runtime/health-server.ts";
import { createKubeHttp } from "./runtime/kube-http.ts";
import { createRuntimeMetrics } from "./runtime/metrics.ts";
import type { Plan } from "./schedule/plan.ts";
import { recordDecision } from "./schedule/recording.ts";
import type { World } from "./schedule/world.ts";

/** Shorter than a pod's usual 30 s: what cannot be finished by then is left to the next leader. */
const STOP_SECONDS = 20;
/** Log lines are written together, so many bytes or after so long. */
const LOG_BYTES = 8192;
const LOG_MILLISECONDS = 100;

function readConfig(): Config {
  try {
    return parseConfig(process.env, (path) => readFileSync(path, "utf8"));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(EXIT_CODES.config);
  }
}

/** `--record FILE`: every plan with what it was made from, a line each, for `npm run replay`. */
function readArguments(): { recordFile: string | undefined } {
  try {
    const { values } = parseArgs({ options: { record: { type: "string" } } });
    return { recordFile: values.record };
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(EXIT_CODES.config);
  }
}

function recordTo(file: string): (world: World, plan: Plan) => void {
  const stream = createWriteStream(file, { flags: "a", mode: 0o600 });
  return (world, plan) => void stream.write(`${recordDecision(world, plan)}\n`);
}

async function main(): Promise<void> {
  const { recordFile } = readArguments();
  const config = readConfig();
  keepHeapCompact();
  const log = pino(
    {
      level: config.logLevel,
      base: { part: "operator" },
      serializers: { error: pino.stdSerializers.err },
    },
    // A write for each line would be a twentieth of the operator's work. What is left is written at the process's end.
    pino.destination({ dest: 1, sync: false, minLength: LOG_BYTES, periodicFlush: LOG_MILLISECONDS }),
  );
  const metrics = createRuntimeMetrics();
  const http = createKubeHttp(await loadClusterAccess(config.access), "opal-operator");
  const identity = `${hostname()}_${randomUUID()}`;
  const operator = createOperator(config, {
    http,
    clock: systemClock,
    random: Math.random,
    log,
    metrics,
    identity,
    ...(recordFile !== undefined && { record: recordTo(recordFile) }),
    onLeading: () => log.info({ port: health.port, identity }, "ready"),
  });
  const health = await startHealthServer({
    port: config.metricsPort,
    registry: metrics.registry,
    notReady: () => operator.notReady(),
  });
  log.info({ port: health.port }, "serving /healthz, /readyz and /metrics");
  const stop = new AbortController();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => {
      log.info({ signal }, "stopping");
      stop.abort();
      setTimeout(() => process.exit(EXIT_CODES.internal), STOP_SECONDS * 1000).unref();
    });
  }
  await operator.run(stop.signal);
  await health.close();
  http.close();
  log.info({}, "stopped");
}

await main();

/**
 * The api's process. One argument picks the role: `serve` answers HTTP, `relay` carries the outbox to Service
 * Bus, `intake` makes OpalJobs of queued jobs, `project` brings their verdicts back, `migrate` brings the
 * schema up to date and ends. The only impure start: environment, clock and randomness come from here.
 */
import { randomBytes } from "node:crypto";
import { accessSync, constants } from "node:fs";
import { readFile } from "node:fs/promises";
import pino, { type Logger } from "pino";
import { Registry, collectDefaultMetrics } from "prom-client";
import { ConfigError, ROLES, Role, parseConfig } from "./config.ts";
import type { RoleContext } from "./roles/role.ts";

const EXIT_CONFIG = 78;

interface BaseConfig {
  readonly LOG_LEVEL: string;
  readonly OPAL_SHUTDOWN_SECONDS: number;
}

/** Resolves with the port that the role listens at, or with nothing when its work is done. */
type Start = (context: RoleContext) => Promise<number | undefined>;

/** A role's modules are loaded only where it runs: each process pays for its own SDKs alone. */
async function prepare(role: Role): Promise<{ config: BaseConfig; start: Start }> {
  const configOf = <R extends Role>(name: R) => parseConfig(name, process.env, unreadable);
  switch (role) {
    case "serve": {
      const config = configOf("serve");
      const { startServe } = await import("./roles/serve.ts");
      return { config, start: (context) => startServe(config, context) };
    }
    case "relay": {
      const config = configOf("relay");
      const { startRelay } = await import("./roles/relay.ts");
      return { config, start: (context) => startRelay(config, context) };
    }
    case "intake": {
      const config = configOf("intake");
      const { startIntake } = await import("./roles/intake.ts");
      return { config, start: (context) => startIntake(config, context) };
    }
    case "project": {
      const config = configOf("project");
      const { startProject } = await import("./roles/project.ts");
      return { config, start: (context) => startProject(config, context) };
    }
    case "migrate": {
      const config = configOf("migrate");
      const { runMigrate } = await import("./roles/migrate.ts");
      return { config, start: (context) => runMigrate(config, context) };
    }
    default:
      return role satisfies never;
  }
}

function unreadable(path: string): string | undefined {
  try {
    accessSync(path, constants.R_OK);
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function main(): Promise<void> {
  const role = Role.safeParse(process.argv[2]);
  if (!role.success) throw new ConfigError(`usage: main.ts ${ROLES.join(" | ")}`);
  const { config, start } = await prepare(role.data);

  const log = pino({ level: config.LOG_LEVEL, base: { app: "opal-api", role: role.data } });
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const closing = new AsyncDisposableStack();
  const close = createCloser(closing, log, config.OPAL_SHUTDOWN_SECONDS);
  process.on("SIGTERM", () => void close(0));
  process.on("SIGINT", () => void close(0));

  try {
    const port = await start({
      log,
      registry,
      closing,
      readFile: (path) => readFile(path, "utf8"),
      now: () => new Date(),
      random: Math.random,
      randomBytes,
    });
    if (port === undefined) await close(0);
    else log.info({ port, seconds: process.uptime() }, "ready");
  } catch (error) {
    if (error instanceof ConfigError) console.error(error.message);
    else log.fatal({ err: error }, "could not start");
    await close(error instanceof ConfigError ? EXIT_CONFIG : 1);
  }
}

/** Closes what is open, in reverse order, and ends the process; when that takes too long, it ends anyway. */
function createCloser(closing: AsyncDisposableStack, log: Logger, deadlineSeconds: number) {
  let isClosing = false;
  return async (code: number): Promise<void> => {
    if (isClosing) return;
    isClosing = true;
    setTimeout(() => {
      log.error({ deadlineSeconds }, "could not close in time");
      process.exit(1);
    }, deadlineSeconds * 1000).unref();
    try {
      await closing.disposeAsync();
      log.info("closed");
      process.exit(code);
    } catch (error) {
      log.error({ err: error }, "could not close cleanly");
      process.exit(code || 1);
    }
  };
}

try {
  await main();
} catch (error) {
  if (!(error instanceof ConfigError)) throw error;
  console.error(error.message);
  process.exitCode = EXIT_CONFIG;
}

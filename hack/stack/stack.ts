/**
 * The parts of Azure that OPAL needs, on this machine: a blob server, Postgres and a Service Bus, all real
 * processes on free ports. Several stacks run side by side. What was started ends with this process.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { QUEUES } from "#crds/messages.ts";
import type { Part } from "../processes/part.ts";
import { stopLeftovers } from "../processes/pid-file.ts";
import { startReaper, type Reaper } from "../processes/reaper.ts";
import { startAzurite } from "./azurite/azurite.ts";
import { claimFolder } from "./folder-claim.ts";
import { startPostgres, type Postgres } from "./postgres/postgres.ts";
import type { QueueSettingsInput } from "./servicebus/queue/settings.ts";
import { startServiceBus } from "./servicebus/start.ts";

/** The queues of OPAL as they are in production. */
export const OPAL_QUEUES: Readonly<Record<string, QueueSettingsInput>> = {
  [QUEUES.jobs]: { lockSeconds: 30, maxDeliveryCount: 5, duplicateDetectionSeconds: 600 },
  [QUEUES.exports]: { lockSeconds: 30, maxDeliveryCount: 5, duplicateDetectionSeconds: 600 },
};

type StackPart = "blob" | "postgres" | "servicebus";

export interface StackOptions {
  /**
   * Where everything is kept; a later stack in the same folder finds it again. Default: a temporary folder that
   * is removed at the end.
   */
  readonly dir?: string;
  /** Default: `OPAL_QUEUES`. */
  readonly queues?: Readonly<Record<string, QueueSettingsInput>>;
  /** The reaper of this process, when it has one already. */
  readonly reaper?: Reaper;
  /** Called for every part that is ready, with the seconds that it took. */
  readonly onProgress?: (part: StackPart, seconds: number) => void;
}

export interface Stack {
  /** Holds the logs of all parts. */
  readonly dir: string;
  readonly pids: Readonly<Record<StackPart, number>>;
  readonly blob: { readonly endpoint: string; readonly connectionString: string };
  readonly postgres: Pick<Postgres, "url" | "createDatabase">;
  readonly serviceBus: {
    readonly connectionString: string;
    /** HTTPS; trust `ca` (PEM) to talk to it. */
    readonly adminEndpoint: string;
    readonly adminConnectionString: string;
    readonly ca: string;
  };
  /** Resolves with the name of the first part that ends by itself. */
  readonly broken: Promise<StackPart>;
  /** Stops everything; removes a temporary folder. Harmless when called twice. */
  stop(): Promise<void>;
}

/**
 * Starts the three parts at the same time.
 * @throws when the folder is in use, or with the end of its log when a part does not start; nothing is left
 * running then
 */
export async function startStack(options: StackOptions = {}): Promise<Stack> {
  const isTemporary = options.dir === undefined;
  const dir = resolve(options.dir ?? mkdtempSync(join(tmpdir(), "opal-stack-")));
  mkdirSync(dir, { recursive: true });
  const closing = new AsyncDisposableStack();
  try {
    const reaper = options.reaper ?? startReaper({ env: process.env });
    if (options.reaper === undefined) closing.defer(() => reaper.close());
    if (isTemporary) {
      reaper.removeFolder(dir); // also when this process is killed
      closing.defer(() => rmSync(dir, { recursive: true, force: true }));
    }
    closing.defer(claimFolder(dir));
    await stopLeftovers(dir);
    const stack = await startParts({ ...options, dir }, reaper, closing);
    return { ...stack, stop: () => closing.disposeAsync() };
  } catch (error) {
    await closing.disposeAsync();
    throw error;
  }
}

async function startParts(
  options: StackOptions & { readonly dir: string },
  reaper: Reaper,
  closing: AsyncDisposableStack,
): Promise<Omit<Stack, "stop">> {
  const { dir, onProgress = () => {}, queues = OPAL_QUEUES } = options;
  const startedAt = performance.now();
  const started = async <T extends { readonly part: Part }>(
    name: StackPart,
    starting: Promise<T>,
  ): Promise<T> => {
    const ready = await starting;
    closing.defer(async () => void (await ready.part.stop()));
    onProgress(name, (performance.now() - startedAt) / 1000);
    return ready;
  };
  const starting = [
    started("blob", startAzurite({ folder: dir, persistence: "disk" }, reaper)),
    started("postgres", startPostgres({ folder: dir }, reaper)),
    started("servicebus", startServiceBus({ folder: dir, queues }, reaper)),
  ] as const;
  await Promise.allSettled(starting); // before one failure is told, so that nothing starts behind its back
  const [blob, postgres, serviceBus] = await Promise.all(starting);
  return {
    dir,
    pids: { blob: blob.part.pid, postgres: postgres.part.pid, servicebus: serviceBus.part.pid },
    blob: { endpoint: blob.endpoint, connectionString: blob.connectionString },
    postgres: { url: postgres.url, createDatabase: postgres.createDatabase },
    serviceBus: {
      connectionString: serviceBus.connectionString,
      adminEndpoint: serviceBus.adminEndpoint,
      adminConnectionString: serviceBus.adminConnectionString,
      ca: serviceBus.ca,
    },
    broken: Promise.race([
      blob.part.exited.then((): StackPart => "blob"),
      postgres.part.exited.then((): StackPart => "postgres"),
      serviceBus.part.exited.then((): StackPart => "servicebus"),
    ]),
  };
}

/**
 * The export worker: the one consumer of the queue `exports`. It cuts finished pictures for their channels on
 * the CPU. This file connects the parts and settles messages; the story of one message is in export-task.ts.
 */
import { readFile } from "node:fs/promises";
import { DefaultAzureCredential } from "@azure/identity";
import {
  ServiceBusClient,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
} from "@azure/service-bus";
import { type Logger, pino } from "pino";
import { EXIT_CODES } from "#crds/exit-codes.ts";
import { QUEUES } from "#crds/messages.ts";
import { connectBlobs, createBlobStore } from "./blobs.ts";
import { type ExportConfig, parseExportConfig } from "./export-config.ts";
import { connectDatabase, createExportStore } from "./export-store.ts";
import { processExport, type Settlement } from "./export-task.ts";
import { type ContentSigner, createContentSigner, proveSigner } from "./provenance/content-credentials.ts";
import { readSigningKey } from "./provenance/signing-key.ts";

/** The SDK's default would leave a receiver deaf for 30 s after the broker's restart. */
const BUS_RETRY = { maxRetries: 10, retryDelayInMs: 500, maxRetryDelayInMs: 4_000 };
const MAX_LOCK_RENEWAL_MILLIS = 15 * 60_000;
const MAX_PAUSE_MILLIS = 30_000;

async function connectBus({ serviceBus }: ExportConfig): Promise<ServiceBusClient> {
  const options = { retryOptions: BUS_RETRY };
  if (serviceBus.by === "identity") {
    return new ServiceBusClient(serviceBus.namespace, new DefaultAzureCredential(), options);
  }
  return new ServiceBusClient((await readFile(serviceBus.file, "utf8")).trim(), options);
}

async function connectSigner({ credentials }: ExportConfig, log: Logger): Promise<ContentSigner | undefined> {
  if (!credentials) return undefined;
  try {
    const signer = createContentSigner(await readSigningKey(credentials, new Date()));
    await proveSigner(signer);
    return signer;
  } catch (error) {
    log.fatal({ err: error }, "the C2PA certificate cannot be used");
    process.exit(EXIT_CODES.config);
  }
}

/**
 * An abandoned message comes back at once: without a pause an outage of seconds would use up all deliveries.
 * The lock is renewed meanwhile.
 */
function pauseBeforeRetry(delivery: number, stopping: AbortSignal): Promise<void> {
  const millis = Math.min(MAX_PAUSE_MILLIS, 500 * 2 ** delivery);
  return new Promise((resolve) => {
    if (stopping.aborted) {
      resolve();
      return;
    }
    const timer = setTimeout(resolve, millis);
    stopping.addEventListener(
      "abort",
      () => {
        clearTimeout(timer);
        resolve();
      },
      { once: true },
    );
  });
}

async function settle(
  receiver: ServiceBusReceiver,
  message: ServiceBusReceivedMessage,
  settlement: Settlement,
): Promise<void> {
  switch (settlement.do) {
    case "complete":
      await receiver.completeMessage(message);
      return;
    case "abandon":
      await receiver.abandonMessage(message);
      return;
    case "dead-letter":
      await receiver.deadLetterMessage(message, {
        deadLetterReason: settlement.reason,
        deadLetterErrorDescription: settlement.description,
      });
      return;
    default:
      settlement satisfies never;
  }
}

/** Names the item in the log, even of a message that turns out to be malformed. */
function idsOf(body: unknown): Record<string, unknown> {
  if (typeof body !== "object" || body === null) return {};
  const { tenantId, jobId, itemId, correlationId } = body as Record<string, unknown>;
  return { tenant: tenantId, job: jobId, item: itemId, correlationId };
}

async function main(config: ExportConfig, log: Logger): Promise<void> {
  const blobs = createBlobStore(await connectBlobs(config.blob));
  const signer = await connectSigner(config, log);
  const sql = await connectDatabase(config.databaseUrlFile, config.concurrency + 1);
  const store = createExportStore(sql);
  const bus = await connectBus(config);
  const receiver = bus.createReceiver(QUEUES.exports, {
    receiveMode: "peekLock",
    maxAutoLockRenewalDurationInMs: MAX_LOCK_RENEWAL_MILLIS,
  });
  const stopping = new AbortController();
  const inHand = new Set<Promise<void>>();

  async function handle(message: ServiceBusReceivedMessage): Promise<void> {
    const started = performance.now();
    const delivery = (message.deliveryCount ?? 0) + 1;
    const { maxDeliveries } = config;
    const settlement = await processExport(
      { body: message.body, delivery, maxDeliveries },
      { blobs, store, signer },
    );
    if (settlement.do === "abandon") await pauseBeforeRetry(delivery, stopping.signal);
    await settle(receiver, message, settlement);
    const seconds = (performance.now() - started) / 1000;
    log.info({ ...idsOf(message.body), delivery, ...settlement, seconds }, "export");
  }

  const subscription = receiver.subscribe(
    {
      processMessage: async (message) => {
        const work = handle(message);
        inHand.add(work);
        await work.finally(() => inHand.delete(work));
      },
      processError: ({ error, errorSource }) => {
        log.warn({ err: error, errorSource }, "service bus");
        return Promise.resolve();
      },
    },
    { autoCompleteMessages: false, maxConcurrentCalls: config.concurrency },
  );
  log.info({ queue: QUEUES.exports }, "ready");
  if (!signer) log.info("no C2PA certificate is set: exports carry no content credentials");

  async function stop(): Promise<void> {
    stopping.abort();
    await subscription.close();
    await Promise.allSettled(inHand);
    await receiver.close();
    await bus.close();
    await sql.end({ timeout: 5 });
  }

  const end = (): void => {
    // What does not end within the grace stays locked and is delivered again.
    setTimeout(() => process.exit(EXIT_CODES.done), config.graceSeconds * 1000).unref();
    stop().then(
      () => process.exit(EXIT_CODES.done),
      (error: unknown) => {
        log.error({ err: error }, "the worker did not stop cleanly");
        process.exit(EXIT_CODES.internal);
      },
    );
  };
  process.once("SIGTERM", end);
  process.once("SIGINT", end);
}

function readConfig(): ExportConfig {
  try {
    return parseExportConfig(process.env);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(EXIT_CODES.config);
  }
}

const config = readConfig();
await main(config, pino({ level: config.logLevel, base: { service: "export-worker" } }));

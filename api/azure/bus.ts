/**
 * The message bus: a narrow port with Azure Service Bus behind it. A received message is settled by what its
 * handler returns; a handler that throws abandons it.
 */
import {
  type ServiceBusClientOptions,
  ServiceBusClient,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
  type ServiceBusSender,
} from "@azure/service-bus";

export interface OutgoingMessage {
  /** The queues drop a second message with the same id within their duplicate detection window. */
  readonly id: string;
  readonly body: Readonly<Record<string, unknown>>;
}

export interface IncomingMessage {
  readonly id: string;
  readonly body: unknown;
  /** 1 at the first delivery. */
  readonly delivery: number;
  /** Aborted when the subscription is closing: long waits should end. */
  readonly signal: AbortSignal;
}

export type Settlement =
  | { readonly do: "complete" }
  | { readonly do: "abandon"; readonly because: string }
  | { readonly do: "dead-letter"; readonly reason: string; readonly description: string };

export type MessageHandler = (message: IncomingMessage) => Promise<Settlement>;

export interface Subscription {
  /** False while the queue cannot be received from. */
  isHealthy(): boolean;
  /** Stops receiving, waits for the handlers at work and closes. */
  close(): Promise<void>;
}

export interface SubscriptionOptions {
  readonly queue: string;
  readonly concurrency: number;
  /** Told of trouble with the connection or of a settlement that came too late; receiving goes on by itself. */
  readonly onError: (error: unknown) => void;
}

export interface MessageBus {
  /** Resolves when the queue has them all. */
  send(queue: string, messages: readonly OutgoingMessage[]): Promise<void>;
  receive(options: SubscriptionOptions, handle: MessageHandler): Subscription;
  close(): Promise<void>;
}

export type BusConnection = { readonly connectionString: string } | { readonly namespace: string };

/** The defaults would leave a receiver up to 30 s without a link after the broker is back. */
const OPTIONS: ServiceBusClientOptions = {
  retryOptions: { maxRetries: 5, retryDelayInMs: 500, maxRetryDelayInMs: 4_000, timeoutInMs: 15_000 },
};

/** Longer than the longest pause between two tries to receive. */
const ERROR_ECHO_MS = 20_000;

export async function openBus(connection: BusConnection): Promise<MessageBus> {
  if ("connectionString" in connection) {
    return createServiceBus(new ServiceBusClient(connection.connectionString, OPTIONS));
  }
  const { DefaultAzureCredential } = await import("@azure/identity");
  return createServiceBus(new ServiceBusClient(connection.namespace, new DefaultAzureCredential(), OPTIONS));
}

function createServiceBus(client: ServiceBusClient): MessageBus {
  const senders = new Map<string, ServiceBusSender>();
  const senderOf = (queue: string) => {
    const sender = senders.get(queue) ?? client.createSender(queue);
    senders.set(queue, sender);
    return sender;
  };
  return {
    send: (queue, messages) => sendAll(senderOf(queue), messages),
    receive: (options, handle) => subscribe(client.createReceiver(options.queue), options, handle),
    close: () => client.close(),
  };
}

async function sendAll(sender: ServiceBusSender, messages: readonly OutgoingMessage[]): Promise<void> {
  let batch = await sender.createMessageBatch();
  for (const { id, body } of messages) {
    const message = {
      messageId: id,
      body,
      contentType: "application/json",
      ...traceOf(body),
    };
    if (batch.tryAddMessage(message)) continue;
    if (batch.count === 0) throw new RangeError(`message ${id} is larger than its queue takes`);
    await sender.sendMessages(batch);
    batch = await sender.createMessageBatch();
    if (!batch.tryAddMessage(message)) throw new RangeError(`message ${id} is larger than its queue takes`);
  }
  if (batch.count > 0) await sender.sendMessages(batch);
}

/** Repeated as message properties, where brokers' tools and traces look for them. */
function traceOf({ correlationId, traceparent }: OutgoingMessage["body"]) {
  return {
    ...(typeof correlationId === "string" && { correlationId }),
    ...(typeof traceparent === "string" && { applicationProperties: { traceparent } }),
  };
}

function subscribe(
  receiver: ServiceBusReceiver,
  { concurrency, onError }: SubscriptionOptions,
  handle: MessageHandler,
): Subscription {
  const closing = new AbortController();
  const atWork = new Set<Promise<void>>();
  let lastError = -Infinity;

  const process = async (message: ServiceBusReceivedMessage) => {
    lastError = -Infinity;
    await settle(receiver, message, await verdictOf(handle, message, closing.signal));
  };
  const subscription = receiver.subscribe(
    {
      processMessage: async (message) => {
        const work = process(message).catch(onError);
        atWork.add(work);
        await work;
        atWork.delete(work);
      },
      processError: async ({ error, errorSource }) => {
        if (errorSource === "receive") lastError = performance.now();
        onError(error);
      },
    },
    { maxConcurrentCalls: concurrency, autoCompleteMessages: false },
  );

  return {
    // The SDK tells of every failed try and not of its recovery, so silence after an error is health.
    isHealthy: () => performance.now() - lastError > ERROR_ECHO_MS && !closing.signal.aborted,
    async close() {
      closing.abort();
      await subscription.close();
      await Promise.all(atWork);
      await receiver.close();
    },
  };
}

async function verdictOf(
  handle: MessageHandler,
  message: ServiceBusReceivedMessage,
  signal: AbortSignal,
): Promise<Settlement> {
  try {
    return await handle({
      id: String(message.messageId ?? ""),
      body: message.body as unknown,
      delivery: (message.deliveryCount ?? 0) + 1,
      signal,
    });
  } catch (error) {
    return { do: "abandon", because: error instanceof Error ? error.message : String(error) };
  }
}

async function settle(
  receiver: ServiceBusReceiver,
  message: ServiceBusReceivedMessage,
  settlement: Settlement,
): Promise<void> {
  switch (settlement.do) {
    case "complete":
      return receiver.completeMessage(message);
    case "abandon":
      return receiver.abandonMessage(message, { because: settlement.because.slice(0, 1000) });
    case "dead-letter":
      return receiver.deadLetterMessage(message, {
        deadLetterReason: settlement.reason,
        deadLetterErrorDescription: settlement.description.slice(0, 1000),
      });
    default:
      return settlement satisfies never;
  }
}

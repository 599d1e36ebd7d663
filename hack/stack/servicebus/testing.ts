/** What the tests of the emulator share. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  ServiceBusClient,
  type ServiceBusReceivedMessage,
  type ServiceBusReceiver,
} from "@azure/service-bus";

/** A client as OPAL's services make it: with the SDK's own settings it would sleep for half a minute at a time. */
export function createClient(connectionString: string, timeoutSeconds = 15): ServiceBusClient {
  const timeoutInMs = timeoutSeconds * 1_000;
  return new ServiceBusClient(connectionString, {
    retryOptions: { maxRetries: 3, retryDelayInMs: 200, maxRetryDelayInMs: 1_000, timeoutInMs },
  });
}

/** @throws when no message comes */
export async function receiveOne(
  receiver: ServiceBusReceiver,
  withinSeconds = 10,
): Promise<ServiceBusReceivedMessage> {
  const [message] = await receiver.receiveMessages(1, { maxWaitTimeInMs: withinSeconds * 1_000 });
  if (message === undefined) throw new Error(`no message within ${withinSeconds} s`);
  return message;
}

/** Receives and completes so many messages. The last call may bring fewer than were asked for. */
export async function collect(
  receiver: ServiceBusReceiver,
  count: number,
): Promise<ServiceBusReceivedMessage[]> {
  const messages: ServiceBusReceivedMessage[] = [];
  while (messages.length < count) {
    const more = await receiver.receiveMessages(count - messages.length, { maxWaitTimeInMs: 10_000 });
    if (more.length === 0) throw new Error(`${messages.length} of ${count} messages came`);
    messages.push(...more);
  }
  return messages;
}

/** Waits until a condition holds; fails with `what` after so many seconds. */
export async function eventually(
  what: string,
  holds: () => boolean | Promise<boolean>,
  seconds = 20,
): Promise<void> {
  for (const deadline = Date.now() + seconds * 1_000; !(await holds());) {
    if (Date.now() > deadline) throw new Error(`it did not happen within ${seconds} s that ${what}`);
    await sleep(25);
  }
}
